//! Where the calling thread's stack ends: what is read is between its stack pointer
//! and there.
//!
//! A thread's library keeps what it knows of a thread at the upper end of the thread's
//! stack, where the thread pointer leads. So the stack of a thread that is not the
//! first one ends there; only how far down it reaches has to be looked up, once for
//! each thread, and without asking a library that might allocate: in the kernel's
//! list of mappings. The first thread's stack is the kernel's, which keeps room for
//! it to grow.
//!
//! A stack pointer that is in neither is that of a coroutine, or of a signal handler
//! with a stack of its own. Who owns that memory, and for how long, is not known, so
//! it is read by the kernel, who says if there is none.

use core::ops::Range;

use lockscope_core::sync::{AtomicU64, AtomicUsize, Ordering};

/// How many threads are remembered; each has its place, and takes it from another.
const PLACES: usize = 1 << 12;
const PAGE_SHIFT: u32 = 12;
/// The kernel keeps so much free below the first thread's stack, if that may grow so
/// far (`mmap_base` in `arch/x86/mm/mmap.c`).
const LARGEST_GAP: u64 = 128 << 20;

/// The kernel's number of a thread in the upper half, and how many pages its stack
/// has in the lower. One word, so that it is whole whoever writes it.
static KNOWN: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];
/// The first thread's stack: the lowest address that it may ever have, and its end.
static FIRST: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// What may be read of the stack of a thread, above its stack pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readable {
    /// This much, as it stands.
    Own(Range<u64>),
    /// Whatever the kernel can read.
    Foreign,
}

/// Looks up the first thread's stack.
pub(crate) fn prepare() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: there is a place for the answer.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) };
    let may_grow = if status == 0 { limit.rlim_cur.min(LARGEST_GAP) } else { 0 };
    let found = find_mapping(|line| line.name == b"[stack]");
    let [low, end] = found
        .map_or([0, 0], |found| [found.start.min(found.end.saturating_sub(may_grow)), found.end]);
    // Relaxed: published with the rest of what was prepared.
    FIRST[0].store(low as usize, Ordering::Relaxed);
    FIRST[1].store(end as usize, Ordering::Relaxed);
}

/// What may be read for the calling thread, whose number is `thread` and whose stack
/// pointer is `sp`.
#[inline]
pub(crate) fn readable(thread: u32, sp: u64) -> Readable {
    let end = thread_pointer();
    let known = KNOWN[thread as usize % PLACES].load(Ordering::Relaxed);
    if known >> 32 == u64::from(thread) {
        let low = end.wrapping_sub((known & u64::from(u32::MAX)) << PAGE_SHIFT);
        if (low..end).contains(&sp) {
            return Readable::Own(sp..end);
        }
    }
    elsewhere(thread, sp, known >> 32 == u64::from(thread))
}

/// Not the stack that is known of this thread.
#[cold]
fn elsewhere(thread: u32, sp: u64, is_known: bool) -> Readable {
    let [low, end] = [&FIRST[0], &FIRST[1]].map(|bound| bound.load(Ordering::Relaxed) as u64);
    if (low..end).contains(&sp) {
        return Readable::Own(sp..end);
    }
    if is_known {
        return Readable::Foreign;
    }
    let end = thread_pointer();
    let low = find_mapping(|line| line.range.contains(&end)).map_or(end, |found| found.start);
    // Down to whole pages, so that it is within the mapping.
    let pages = ((end - low) >> PAGE_SHIFT).min(u64::from(u32::MAX));
    // Relaxed: one word, which says of which thread it is.
    KNOWN[thread as usize % PLACES].store(u64::from(thread) << 32 | pages, Ordering::Relaxed);
    if (end - (pages << PAGE_SHIFT)..end).contains(&sp) {
        Readable::Own(sp..end)
    } else {
        Readable::Foreign
    }
}

/// Where the thread's library keeps what it knows of this thread.
#[cfg(target_arch = "x86_64")]
#[inline]
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: the first word of what a thread's library keeps of it is its own address
    // (System V ABI for x86-64, thread-local storage, variant II).
    unsafe {
        core::arch::asm!(
            "mov {}, qword ptr fs:[0]",
            out(reg) pointer,
            options(nostack, preserves_flags, readonly)
        );
    }
    pointer
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: reads a register that programs may read.
    unsafe {
        core::arch::asm!(
            "mrs {}, tpidr_el0",
            out(reg) pointer,
            options(nostack, preserves_flags, nomem)
        );
    }
    pointer
}

/// Stacks are not taken elsewhere.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn thread_pointer() -> u64 {
    0
}

/// A line of the kernel's list.
struct Line<'a> {
    range: Range<u64>,
    name: &'a [u8],
}

/// The first mapping of this process that `is_it`. By system calls alone, and in
/// memory of our own: this may run where nothing may be allocated.
fn find_mapping(is_it: impl Fn(&Line<'_>) -> bool) -> Option<Range<u64>> {
    // By `syscall`, which no thread is cancelled in, as it may be in `open`.
    // SAFETY: a string that ends with a 0.
    let file = unsafe {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        libc::syscall(libc::SYS_openat, libc::AT_FDCWD, c"/proc/self/maps".as_ptr(), flags)
    };
    if file < 0 {
        return None;
    }
    let found = find_line(&is_it, |buffer| {
        // SAFETY: an open file, and a place for so many bytes.
        let read =
            unsafe { libc::syscall(libc::SYS_read, file, buffer.as_mut_ptr(), buffer.len()) };
        usize::try_from(read).unwrap_or(0)
    });
    // SAFETY: opened above, and closed once.
    unsafe { libc::syscall(libc::SYS_close, file) };
    found
}

/// The first line that `is_it`, of a text that `read` gives in parts.
fn find_line(
    is_it: impl Fn(&Line<'_>) -> bool,
    mut read: impl FnMut(&mut [u8]) -> usize,
) -> Option<Range<u64>> {
    let mut buffer = [0; 1024];
    let mut filled = 0;
    loop {
        let came = read(&mut buffer[filled..]);
        filled += came;
        let mut begun = 0;
        while let Some(len) = buffer[begun..filled].iter().position(|byte| *byte == b'\n') {
            if let Some(line) = parse(&buffer[begun..begun + len])
                && is_it(&line)
            {
                return Some(line.range);
            }
            begun += len + 1;
        }
        if came == 0 {
            return None;
        }
        if begun == 0 && filled == buffer.len() {
            // A name that is longer than the buffer: the rest of it is a line without
            // a range.
            begun = filled;
        }
        buffer.copy_within(begun..filled, 0);
        filled -= begun;
    }
}

/// `start-end rights offset device inode    name`, both ends in hexadecimal.
fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let (range, rest) = (words.next()?, words.next()?);
    let mut ends = range.splitn(2, |byte| *byte == b'-');
    let mut end = || hexadecimal(ends.next()?);
    let range = end()?..end()?;
    let name = rest.rsplit(|byte| *byte == b' ').next()?;
    Some(Line { range, name })
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = (*digit as char).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sp() -> u64 {
        let local = 0_u8;
        (&raw const local).addr() as u64
    }

    fn thread() -> u32 {
        // SAFETY: the call takes nothing and cannot fail.
        unsafe { libc::gettid() as u32 }
    }

    fn find(text: &[u8], part: usize, is_it: impl Fn(&Line<'_>) -> bool) -> Option<Range<u64>> {
        let mut rest = text;
        find_line(is_it, |buffer| {
            let len = part.min(buffer.len()).min(rest.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            rest = &rest[len..];
            len
        })
    }

    #[test]
    fn lines_are_found_however_they_come() {
        let long = "x".repeat(3_000);
        let text = format!(
            "5500-5600 r--p 00000000 fd:01 77   /usr/bin/{long}\n\
             7fff00-7fff10 rw-p 00000000 00:00 0 \n\
             7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]\n"
        );
        for part in [1, 7, 100, 1_024, 5_000] {
            let found = |is_it: &dyn Fn(&Line<'_>) -> bool| find(text.as_bytes(), part, is_it);
            let stack = found(&|line| line.name == b"[stack]");
            assert_eq!(stack, Some(0x7fff_fffd_e000..0x7fff_ffff_f000));
            let holding = found(&|line| line.range.contains(&0x7f_ff08));
            assert_eq!(holding, Some(0x7f_ff00..0x7f_ff10));
            assert_eq!(found(&|line| line.name == b"[heap]"), None);
        }
    }

    #[test]
    fn a_thread_has_a_stack_of_its_own() {
        prepare();
        let handle = std::thread::spawn(|| {
            let sp = sp();
            for _ in 0..2 {
                let Readable::Own(range) = readable(thread(), sp) else { panic!("foreign") };
                assert_eq!(range, sp..thread_pointer());
                // The standard library's threads have two megabytes.
                assert!(range.end - range.start < 2 << 20);
            }
        });
        handle.join().unwrap();
    }

    #[test]
    fn a_stack_pointer_elsewhere_is_foreign() {
        prepare();
        std::thread::spawn(|| {
            let elsewhere = vec![0_u8; 1 << 20];
            assert_eq!(readable(thread(), elsewhere.as_ptr().addr() as u64), Readable::Foreign);
            assert_ne!(readable(thread(), sp()), Readable::Foreign);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_first_threads_stack_is_the_kernels() {
        prepare();
        let [low, end] = [&FIRST[0], &FIRST[1]].map(|bound| bound.load(Ordering::Relaxed) as u64);
        assert!(low < end);
        assert_eq!(readable(1, end - 64), Readable::Own(end - 64..end));
        assert_eq!(readable(1, low), Readable::Own(low..end));
    }
}
