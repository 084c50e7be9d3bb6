/* A program whose library locks. */
void work(int times);
int main(void) {
    work(7);
    return 0;
}
