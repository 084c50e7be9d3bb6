//! From frame to frame, and the way of a stack from the thread that has it to the
//! report.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::ops::Range;

use framehop::{
    CacheNative, FrameAddress, MustNotAllocateDuringUnwind, UnwindRegsNative, Unwinder as _,
    UnwinderNative,
};
use lockscope_core::CallSite;
use lockscope_core::sync::{AtomicPtr, AtomicU64, Mutex, Ordering, PoisonError};

use crate::limits::{self, Readable};
use crate::objects::{Objects, Table, View};
use crate::store::{Stack, Store};
use crate::turn::Turn;
use crate::{End, Kept, Losses, MOST_FRAMES, Where};

/// The probe's own frames, between the host and the program, come on top of what is
/// asked for: they are told from the program's by their names, later.
const OWN_FRAMES: usize = 8;
const MOST: usize = MOST_FRAMES + OWN_FRAMES;
/// How many threads can walk at one time. Each has its own cache as long as there
/// are no more threads than that.
const WALKERS: usize = 64;
/// How much the kernel reads of a stack that is not known: pages, and their size.
const FOREIGN_PAGES: usize = 4;
const PAGE: usize = 4096;

type Unwinder = UnwinderNative<Table, MustNotAllocateDuringUnwind>;

/// What is needed to walk, and replaced when the program loads something.
struct Map {
    unwinder: Unwinder,
    view: View,
}

/// What one thread at a time walks with.
#[repr(align(128))]
struct Walker {
    turn: Turn,
    gear: UnsafeCell<Gear>,
}

struct Gear {
    cache: CacheNative<MustNotAllocateDuringUnwind>,
    /// Where frames are written down.
    frames: [u64; MOST],
    /// A copy of a stack that is not known.
    copy: [u64; FOREIGN_PAGES * PAGE / 8],
}

// SAFETY: whoever has the turn is alone with the gear.
unsafe impl Sync for Walker {}

/// Made once, never freed.
struct Kit {
    store: Store,
    walkers: Box<[Walker]>,
}

static KIT: AtomicPtr<Kit> = AtomicPtr::new(core::ptr::null_mut());
static MAP: AtomicPtr<Map> = AtomicPtr::new(core::ptr::null_mut());
/// Held by whoever asks the dynamic linker, or wants to know what it has said. Null
/// until then, and in the child of a fork, where the thread that held it may be gone.
/// Never freed.
static OBJECTS: AtomicPtr<Mutex<Objects>> = AtomicPtr::new(core::ptr::null_mut());

static REFUSED: AtomicU64 = AtomicU64::new(0);
static UNREADABLE: AtomicU64 = AtomicU64::new(0);

/// Makes everything that taking stacks needs, where that is allowed: not inside a
/// hook. Up to `limit` stacks are kept in the process from now on, in all.
///
/// # Errors
///
/// What the kernel says, if it has no memory.
pub fn prepare(limit: u32) -> std::io::Result<()> {
    let kit = made_once(&KIT, || {
        limits::prepare();
        let walkers = (0..WALKERS).map(|_| Walker::new()).collect();
        Store::new(limit).map(|store| Kit { store, walkers })
    })?;
    kit.store.set_limit(limit);
    refresh();
    Ok(())
}

/// Asks the dynamic linker what the program has loaded, and unloaded, since it was
/// asked last. Not to be called inside a hook.
pub fn refresh() {
    let mut objects = objects().lock().unwrap_or_else(PoisonError::into_inner);
    let Some((view, modules)) = objects.look() else { return };
    let mut unwinder = Unwinder::new();
    modules.into_iter().for_each(|module| unwinder.add_module(module));
    let fresh = Box::into_raw(Box::new(Map { unwinder, view }));
    // AcqRel: whoever finds the new one finds it made, and whoever made the old one
    // has made it. One at a time replaces: the lock is held.
    let old = MAP.swap(fresh, Ordering::AcqRel);
    // SAFETY: as above; who still reads the old one is waited for.
    let kit = unsafe { KIT.load(Ordering::Acquire).as_ref() };
    if !old.is_null()
        && kit.is_some_and(|kit| kit.walkers.iter().all(|walker| walker.turn.was_idle()))
    {
        // SAFETY:
        // - it was boxed here, and is in nobody's reach any more;
        // - whoever had found it was walking, and every walker was idle since.
        drop(unsafe { Box::from_raw(old) });
    }
}

fn objects() -> &'static Mutex<Objects> {
    made_once(&OBJECTS, || Ok(Mutex::default())).unwrap_or_else(|never: Infallible| match never {})
}

/// What stands in `place`, made if nothing does. Never freed.
fn made_once<T, E>(
    place: &AtomicPtr<T>,
    make: impl FnOnce() -> Result<T, E>,
) -> Result<&'static T, E> {
    // Acquire: pairs with the release below.
    // SAFETY: what is there is never freed.
    if let Some(made) = unsafe { place.load(Ordering::Acquire).as_ref() } {
        return Ok(made);
    }
    let fresh = Box::into_raw(Box::new(make()?));
    // Release: whoever finds it finds it made. Acquire: as above.
    let (stored, seen) = (Ordering::Release, Ordering::Acquire);
    match place.compare_exchange(core::ptr::null_mut(), fresh, stored, seen) {
        // SAFETY: as above.
        Ok(_) => Ok(unsafe { &*fresh }),
        Err(other) => {
            // SAFETY: made above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: as above.
            Ok(unsafe { &*other })
        }
    }
}

/// In the child of a fork: forgets what threads that were not forked held. Only
/// stores.
pub fn forked() {
    OBJECTS.store(core::ptr::null_mut(), Ordering::Relaxed);
    // SAFETY: what is there is never freed.
    if let Some(kit) = unsafe { KIT.load(Ordering::Relaxed).as_ref() } {
        kit.walkers.iter().for_each(|walker| walker.turn.forked());
    }
}

/// Operations that were recorded without their stacks.
#[must_use]
pub fn losses() -> Losses {
    Losses {
        refused: REFUSED.load(Ordering::Relaxed),
        unreadable: UNREADABLE.load(Ordering::Relaxed),
    }
}

/// The site of the stack of the calling thread, which has led to `site`: up to
/// `frames` frames of it. `site` itself if the stack cannot be taken or kept.
///
/// `thread` is the kernel's number of the calling thread. May be called inside a
/// hook, after [`prepare`].
///
/// A part of whatever calls it, so that the first frame is that of the caller's
/// caller.
#[inline(always)]
#[must_use]
pub fn take(site: CallSite, thread: u32, frames: usize) -> CallSite {
    let start = Start::here();
    // A walk that panics must not cross the boundary, nor end the program.
    let taken = std::panic::catch_unwind(move || start.take(site, thread, frames));
    taken.ok().flatten().unwrap_or(site)
}

/// Writes the addresses down that the calls return to which have led here, the
/// innermost first, and nothing of them is kept: from `site` on, or, if that is none of
/// them, from the caller's caller. How many there are: none if the stack cannot be taken.
///
/// `thread` is the kernel's number of the calling thread. May be called inside a hook,
/// after [`prepare`]. A part of whatever calls it, as [`take`].
#[inline(always)]
#[must_use]
pub fn frames(site: CallSite, thread: u32, frames: &mut [u64]) -> usize {
    let start = Start::here();
    let walk = core::panic::AssertUnwindSafe(move || start.frames(site, thread, frames));
    std::panic::catch_unwind(walk).unwrap_or(0)
}

/// What is known of a site of a stack; `None` for a plain site.
#[must_use]
pub fn stack_of(site: CallSite) -> Option<Kept> {
    let number = site.stack_number()?;
    // Acquire: as above.
    // SAFETY: what is there is never freed.
    let kit = unsafe { KIT.load(Ordering::Acquire).as_ref() }?;
    let found = kit.store.get(number)?;
    let objects = objects().lock().unwrap_or_else(PoisonError::into_inner);
    let of = |address: u64| {
        // The call stands before the address that it returns to, and may be the last
        // thing in its object.
        let object = objects.at(address - 1, found.epoch)?;
        Some((object.path.clone(), object.base))
    };
    let frames = found.frames.iter().map(|&address| Where { address, object: of(address) });
    Some(Kept { site: CallSite(found.site), frames: frames.collect(), end: found.end })
}

impl Walker {
    fn new() -> Self {
        let cache = CacheNative::new_in();
        let gear = Gear { cache, frames: [0; MOST], copy: [0; FOREIGN_PAGES * PAGE / 8] };
        Self { turn: Turn::default(), gear: UnsafeCell::new(gear) }
    }
}

/// A walker that is the caller's until this is dropped.
struct Taken<'a>(&'a Walker);

impl Taken<'_> {
    #[allow(clippy::mut_from_ref, reason = "whoever has taken the walker is alone with its gear")]
    fn gear(&self) -> &mut Gear {
        // SAFETY: whoever has the turn is alone with the gear, and asks once.
        unsafe { &mut *self.0.gear.get() }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.turn.give_back();
    }
}

impl Kit {
    /// A walker for this thread: its own, or another that nobody needs.
    #[inline]
    fn walker(&self, thread: u32) -> Option<Taken<'_>> {
        let first = thread as usize % WALKERS;
        let walkers = self.walkers[first..].iter().chain(&self.walkers[..first]);
        walkers.filter(|walker| walker.turn.take()).map(Taken).next()
    }
}

impl Start {
    /// The site of the stack that begins here, if it can be taken and kept.
    #[inline]
    fn take(self, site: CallSite, thread: u32, frames: usize) -> Option<CallSite> {
        let wanted = Wanted { site: site.0 as u64, frames: frames.min(MOST_FRAMES) };
        self.with_frames(thread, wanted, |frames, end, map, kit| {
            let number = number(site, frames, end, map, &kit.store);
            if number.is_none() {
                REFUSED.fetch_add(1, Ordering::Relaxed);
            }
            number.map(|number| CallSite::stack(number as usize))
        })
        .flatten()
    }

    /// Copies what there is of the stack that begins here, as far as there is room.
    fn frames(self, site: CallSite, thread: u32, frames: &mut [u64]) -> usize {
        let wanted = Wanted { site: site.0 as u64, frames: frames.len().min(MOST_FRAMES) };
        let copy = |found: &[u64], _: End, _: &Map, _: &Kit| {
            let len = found.len().min(frames.len());
            frames[..len].copy_from_slice(&found[..len]);
            len
        };
        self.with_frames(thread, wanted, copy).unwrap_or(0)
    }

    /// Walks as far as is wanted, and shows the frames to `then` if there are some.
    #[inline]
    fn with_frames<T>(
        self,
        thread: u32,
        wanted: Wanted,
        then: impl FnOnce(&[u64], End, &Map, &Kit) -> T,
    ) -> Option<T> {
        // Acquire: pairs with the release in `prepare`.
        // SAFETY: what is there is never freed.
        let kit = unsafe { KIT.load(Ordering::Acquire).as_ref() }?;
        let taken = kit.walker(thread);
        // Acquire: pairs with the release in `refresh`. After the turn was taken: see
        // `Turn::was_idle`.
        // SAFETY: it is not freed before the turn is given back.
        let map = unsafe { MAP.load(Ordering::Acquire).as_ref() };
        let (Some(taken), Some(map)) = (taken, map) else {
            UNREADABLE.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let gear = taken.gear();
        let (len, end) = self.walk(map, gear, thread, wanted);
        if len == 0 {
            UNREADABLE.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(then(&gear.frames[..len], end, map, kit))
    }

    /// Walks as far as is wanted. How many frames there were, and why no more.
    #[inline]
    fn walk(self, map: &Map, gear: &mut Gear, thread: u32, wanted: Wanted) -> (usize, End) {
        let Self { pc, sp, regs } = self;
        let Gear { cache, frames, copy } = gear;
        match limits::readable(thread, sp) {
            Readable::Own(range) => {
                let mut read = |address: u64| read_own(&range, address);
                walk(map.unwinder.iter_frames(pc, regs, cache, &mut read), wanted, frames)
            }
            Readable::Foreign => {
                let range = copy_foreign(sp, copy);
                let mut read = |address: u64| read_copy(&range, copy, address);
                walk(map.unwinder.iter_frames(pc, regs, cache, &mut read), wanted, frames)
            }
        }
    }
}

/// Which part of a stack is wanted.
#[derive(Clone, Copy)]
struct Wanted {
    /// Where the operation stands.
    site: u64,
    /// How many frames of the program's.
    frames: usize,
}

/// Writes down where each frame returns to.
#[inline]
fn walk<F: FnMut(u64) -> Result<u64, ()>>(
    mut walk: framehop::UnwindIterator<'_, '_, '_, Unwinder, F>,
    wanted: Wanted,
    frames: &mut [u64; MOST],
) -> (usize, End) {
    let (mut len, mut most) = (0, wanted.frames + OWN_FRAMES);
    while len < most {
        match walk.next() {
            Ok(Some(FrameAddress::ReturnAddress(address))) => {
                if address.get() == wanted.site && most != wanted.frames {
                    // Of a probe that names places by return addresses: what is
                    // within is its own.
                    (len, most) = (0, wanted.frames);
                }
                frames[len] = address.get();
                len += 1;
            }
            // Our own, which is on top of all stacks.
            Ok(Some(FrameAddress::InstructionPointer(_))) => {}
            Ok(None) => return (len, End::Whole),
            Err(_) => return (len, End::Unknown),
        }
    }
    (len, End::Deeper)
}

/// The number of a stack. That of one that was kept is found at once; of others the
/// frames are looked at, and kept as far as they are code.
#[inline]
fn number(site: CallSite, frames: &[u64], end: End, map: &Map, store: &Store) -> Option<u32> {
    let stack = Stack { site: site.0, frames, end };
    store.find(&stack).or_else(|| keep(&stack, map, store))
}

#[cold]
#[inline(never)]
fn keep(stack: &Stack<'_>, map: &Map, store: &Store) -> Option<u32> {
    let is_code = |frame: &&u64| map.view.has_code_at(frame.wrapping_sub(1));
    let known = stack.frames.iter().take_while(is_code).count();
    let end = if known < stack.frames.len() { End::Unknown } else { stack.end };
    store.keep(&Stack { frames: &stack.frames[..known], end, ..*stack }, map.view.epoch)
}

/// Reads a word of the thread's own stack.
#[inline(always)]
fn read_own(range: &Range<u64>, address: u64) -> Result<u64, ()> {
    if address < range.start || address > range.end - 8 || !address.is_multiple_of(8) {
        return Err(());
    }
    // SAFETY: between the stack pointer and the end of the stack of this thread, which
    // is there as long as the thread is. Volatile: it is no object of this program's.
    Ok(unsafe { (address as *const u64).read_volatile() })
}

/// Reads a word of the copy of what is in `range`.
#[inline]
fn read_copy(range: &Range<u64>, copy: &[u64], address: u64) -> Result<u64, ()> {
    if !range.contains(&address) || !address.is_multiple_of(8) {
        return Err(());
    }
    copy.get((address - range.start) as usize / 8).copied().ok_or(())
}

/// Has the kernel copy what is above `sp`, as far as there is something. What was
/// copied.
#[cold]
fn copy_foreign(sp: u64, copy: &mut [u64]) -> Range<u64> {
    let start = sp & !7;
    let local = libc::iovec { iov_base: copy.as_mut_ptr().cast(), iov_len: size_of_val(copy) };
    // Page by page, so that what is before one that is not there is copied.
    let mut at = start as usize;
    let remote = [(); FOREIGN_PAGES].map(|()| {
        let len = PAGE - at % PAGE;
        let part = libc::iovec { iov_base: at as *mut _, iov_len: len };
        at += len;
        part
    });
    // Some kernels copy nothing if one page is not there.
    let copied = (1..=FOREIGN_PAGES).rev().find_map(|pages| {
        // SAFETY: the kernel writes to the copy alone, and says if there is nothing to
        // be read.
        let read = unsafe {
            let (local, remote) = (&raw const local, remote.as_ptr());
            libc::process_vm_readv(libc::getpid(), local, 1, remote, pages as libc::c_ulong, 0)
        };
        u64::try_from(read).ok().filter(|read| *read > 0)
    });
    start..start + copied.unwrap_or(0)
}

/// Where a walk begins.
struct Start {
    pc: u64,
    sp: u64,
    regs: UnwindRegsNative,
}

#[cfg(target_arch = "x86_64")]
impl Start {
    /// The function that this is a part of.
    #[inline(always)]
    fn here() -> Self {
        let (pc, sp, bp): (u64, u64, u64);
        // SAFETY: reads registers.
        unsafe {
            core::arch::asm!(
                "lea {pc}, [rip]",
                "mov {sp}, rsp",
                "mov {bp}, rbp",
                pc = out(reg) pc,
                sp = out(reg) sp,
                bp = out(reg) bp,
                options(nostack, nomem, preserves_flags)
            );
        }
        Self { pc, sp, regs: UnwindRegsNative::new(pc, sp, bp) }
    }
}

#[cfg(target_arch = "aarch64")]
impl Start {
    /// The function that this is a part of.
    #[inline(always)]
    fn here() -> Self {
        let (pc, sp, fp, lr): (u64, u64, u64, u64);
        // SAFETY: reads registers.
        unsafe {
            core::arch::asm!(
                "adr {pc}, .",
                "mov {sp}, sp",
                "mov {fp}, x29",
                "mov {lr}, x30",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                lr = out(reg) lr,
                options(nostack, nomem, preserves_flags)
            );
        }
        // Addresses have 48 bits, and what is above them may be a signature.
        let mask = framehop::aarch64::PtrAuthMask(u64::MAX >> 16);
        let regs = UnwindRegsNative::new_with_ptr_auth_mask(mask, lr, sp, fp);
        Self { pc, sp, regs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn taken(site: usize, frames: usize) -> CallSite {
        // SAFETY: the call takes nothing and cannot fail.
        let thread = unsafe { libc::gettid() as u32 };
        // Not the last thing that is done here, which would be a jump.
        std::hint::black_box(take(CallSite(site), thread, frames))
    }

    #[inline(never)]
    fn deep(calls: usize, site: usize, frames: usize) -> CallSite {
        let taken = if calls == 0 { taken(site, frames) } else { deep(calls - 1, site, frames) };
        std::hint::black_box(taken)
    }

    fn function_at(address: u64) -> u64 {
        let start = deep as *const () as usize as u64;
        address.wrapping_sub(start)
    }

    #[test]
    fn a_stack_leads_from_the_caller_to_where_its_thread_began() {
        prepare(1_000).unwrap();
        let site = std::thread::spawn(|| deep(5, 8, 64)).join().unwrap();
        let kept = stack_of(site).unwrap();
        assert_eq!((kept.site, kept.end), (CallSite(8), End::Whole));
        let in_deep = kept.frames.iter().filter(|frame| function_at(frame.address) < 512).count();
        assert_eq!(in_deep, 6, "{kept:#?}");
        assert!(kept.frames.iter().all(|frame| frame.object.is_some()));
        let program = |frame: &Where| frame.object.as_ref().unwrap().0.as_os_str().is_empty();
        assert!(program(&kept.frames[0]) && !program(kept.frames.last().unwrap()), "{kept:#?}");
    }

    #[test]
    fn one_way_has_one_site_and_another_way_another() {
        prepare(1_000).unwrap();
        let sites: Vec<_> = [3, 3, 4].map(|calls| deep(calls, 16, 64)).into();
        assert!(sites[0].is_stack());
        let loops = |calls: usize| (0..2).map(move |_| deep(calls, 24, 64)).collect::<Vec<_>>();
        let [first, second] = loops(3)[..] else { unreachable!() };
        assert_eq!(first, second);
        assert_ne!(loops(3)[0], loops(4)[0]);
    }

    #[test]
    fn frames_lead_from_the_caller_as_far_as_there_is_room() {
        #[inline(never)]
        fn counted(calls: usize, room: &mut [u64]) -> usize {
            // SAFETY: the call takes nothing and cannot fail.
            let thread = unsafe { libc::gettid() as u32 };
            let unknown = CallSite::UNKNOWN;
            let len =
                if calls == 0 { frames(unknown, thread, room) } else { counted(calls - 1, room) };
            std::hint::black_box(len)
        }
        prepare(1_000).unwrap();
        let start = counted as *const () as usize as u64;
        let mut room = [0; 20];
        let len = counted(5, &mut room);
        assert!(room[..5].iter().all(|frame| (start..start + 512).contains(frame)), "{room:x?}");
        assert!(len > 6 && room[len - 1] != 0);
        assert_eq!(counted(60, &mut room[..8]), 8);
    }

    #[test]
    fn no_more_frames_than_are_asked_for() {
        prepare(1_000).unwrap();
        let kept = stack_of(deep(60, 32, 20)).unwrap();
        assert_eq!((kept.frames.len(), kept.end), (20 + OWN_FRAMES, End::Deeper));
    }

    #[test]
    fn what_is_inside_a_site_that_returns_is_no_part_of_its_stack() {
        prepare(1_000).unwrap();
        let ways = |site| (0..2).map(move |_| deep(2, site, 64)).collect::<Vec<_>>()[1];
        let [whole, cut] = [40, 0].map(|site| {
            // Both from here, so that they differ in their sites alone.
            let first = stack_of(ways(40)).unwrap();
            // Below those that call themselves.
            let site = if site == 0 { first.frames[5].address } else { site };
            stack_of(ways(site as usize)).unwrap()
        });
        assert_eq!(cut.frames, whole.frames[5..]);
        let few = stack_of(deep(60, cut.frames[0].address as usize, 3)).unwrap();
        assert_eq!(few.frames.len(), 3 + OWN_FRAMES, "it is deeper than is looked");
    }

    #[test]
    fn what_is_no_code_ends_a_stack() {
        prepare(1_000).unwrap();
        let whole = stack_of(deep(2, 56, 64)).unwrap();
        let mut frames: Vec<u64> = whole.frames.iter().map(|frame| frame.address).collect();
        let len = frames.len();
        frames[len - 1] = 77;
        let (map, kit) =
            // SAFETY: made by `prepare`; nothing is loaded or unloaded meanwhile.
            unsafe { (&*MAP.load(Ordering::Acquire), &*KIT.load(Ordering::Acquire)) };
        let number = number(CallSite(56), &frames, End::Whole, map, &kit.store).unwrap();
        let kept = stack_of(CallSite::stack(number as usize)).unwrap();
        assert_eq!((kept.frames.len(), kept.end), (len - 1, End::Unknown));
    }

    /// A stack that the kernel has not given to the thread: a coroutine's.
    #[test]
    fn a_stack_elsewhere_is_copied_as_far_as_it_goes() {
        let memory = crate::mapped::Mapped::<AtomicU64>::new(2 * PAGE / 8).unwrap();
        let words = memory.as_slice();
        let start = (&raw const words[0]).addr() as u64;
        for (at, word) in words.iter().enumerate() {
            word.store(at as u64, Ordering::Relaxed);
        }
        let mut copy = [0; FOREIGN_PAGES * PAGE / 8];
        let sp = start + PAGE as u64 + 64;
        let range = copy_foreign(sp, &mut copy);
        assert_eq!(range.start, sp);
        assert!(range.end >= start + 2 * PAGE as u64, "{range:x?} from {start:x}");
        assert_eq!(read_copy(&range, &copy, sp + 16), Ok((PAGE / 8) as u64 + 10));
        assert_eq!(read_copy(&range, &copy, sp - 8), Err(()));
        assert_eq!(read_copy(&range, &copy, sp + 1), Err(()));
        assert_eq!(copy_foreign(64, &mut copy), 64..64, "there is nothing");
    }

    #[test]
    fn nothing_is_read_but_the_stack() {
        let words = [1_u64, 2, 3];
        let start = words.as_ptr().addr() as u64;
        let range = start..start + 24;
        assert_eq!(read_own(&range, start + 16), Ok(3));
        for outside in [start - 8, start + 17, start + 24, start + 4, 0, u64::MAX] {
            assert_eq!(read_own(&range, outside), Err(()), "{outside:x}");
        }
    }

    #[test]
    fn threads_walk_beside_each_other() {
        prepare(1_000).unwrap();
        let walk = || (0..2_000).map(|_| deep(7, 48, 64)).collect::<Vec<_>>();
        let sites: Vec<Vec<CallSite>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(walk)).collect();
            refresh();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(sites.iter().flatten().all(|site| *site == sites[0][0] && site.is_stack()));
    }
}
