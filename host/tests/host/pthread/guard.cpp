// A lock by way of the standard library's own wrappers.
#include <mutex>

namespace store {
std::mutex locks;
}

int main() {
    for (int i = 0; i < 10; i++) {
        std::lock_guard<std::mutex> guard(store::locks);
    }
}
