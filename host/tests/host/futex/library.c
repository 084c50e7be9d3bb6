/* A program that waits for nothing itself. */
#include <stdint.h>
#include <stdio.h>

uint64_t parks_run(uint32_t rounds);

int main(void) {
    printf("%lu\n", (unsigned long)parks_run(10));
    return 0;
}
