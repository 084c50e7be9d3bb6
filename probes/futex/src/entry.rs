//! The function that the program calls.

use crate::real::REAL;
use crate::watch::PROBE;
use crate::{wait, wake};

/// Of an operation on a futex, all but whether it is for this process alone and by which
/// clock it waits (`FUTEX_CMD_MASK`).
const COMMAND: i32 = !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);

/// Stands for libc's function of this name.
///
/// Whatever is no wait at a futex and no waking, and all while the gate is closed, goes
/// on to the function behind it, whose caller is then the program. What is, goes on to
/// ours, with where it was called from, the word on top of the stack, in place of the
/// number, and everything else where it stands (System V ABI for x86-64, 3.2.3).
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C-unwind" fn syscall() {
    core::arch::naked_asm!(
        "cmp rdi, {futex}",
        "jne 2f",
        "cmp qword ptr [rip + {probe}], 1",
        "ja 3f",
        "2:",
        "jmp qword ptr [rip + {real}]",
        "3:",
        "mov eax, edx",
        "and eax, {command}",
        "cmp eax, {wait}",
        "je 4f",
        "cmp eax, {wait_bitset}",
        "je 4f",
        "cmp eax, {wake}",
        "je 5f",
        "cmp eax, {wake_bitset}",
        "je 5f",
        "jmp qword ptr [rip + {real}]",
        "4:",
        "mov rdi, qword ptr [rsp]",
        "jmp {waits}",
        "5:",
        "mov rdi, qword ptr [rsp]",
        "jmp {wakes}",
        futex = const libc::SYS_futex,
        probe = sym PROBE,
        real = sym REAL,
        command = const COMMAND,
        wait = const libc::FUTEX_WAIT,
        wait_bitset = const libc::FUTEX_WAIT_BITSET,
        wake = const libc::FUTEX_WAKE,
        wake_bitset = const libc::FUTEX_WAKE_BITSET,
        waits = sym wait::waits,
        wakes = sym wake::wakes,
    )
}
