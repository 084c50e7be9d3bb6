//! Folders of sockets, and who may write into them.

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("lockscope");
    (dir, path)
}

fn make(path: &Path, mode: u32) {
    std::fs::create_dir(path).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// What is said of the folder, without its path.
fn complaint(path: &Path, owner: u32) -> String {
    let error = Folder::open(path.to_owned(), owner).expect_err("it is not safe");
    error.to_string().replace(path.to_str().unwrap(), "PATH")
}

#[test]
fn a_folder_of_its_owner_alone_is_used() {
    let (_dir, path) = place();
    assert_eq!(Folder::open(path.clone(), system::user()).unwrap(), None);
    make(&path, 0o700);
    let folder = Folder::open(path.clone(), system::user()).unwrap().unwrap();
    assert_eq!(folder.socket(7), path.join("7.sock"));
}

#[test]
fn a_folder_that_others_can_enter_is_not_used() {
    let (_dir, path) = place();
    make(&path, 0o755);
    assert_eq!(
        complaint(&path, system::user()),
        "the folder PATH is not used for sockets: expected mode 700, found mode 755, with rights for others; run `chmod 700 PATH`"
    );
}

#[test]
fn a_folder_of_another_user_is_not_used() {
    let (_dir, path) = place();
    make(&path, 0o700);
    let (user, other) = (system::user(), system::user() + 1);
    assert_eq!(
        complaint(&path, other),
        format!(
            "the folder PATH is not used for sockets: expected a folder of the user with number {other}, found one of the user with number {user}; have its owner remove it, or set XDG_RUNTIME_DIR"
        )
    );
}

#[test]
fn what_is_no_folder_is_not_used() {
    let (dir, path) = place();
    std::fs::write(&path, "").unwrap();
    assert_eq!(
        complaint(&path, system::user()),
        "the folder PATH is not used for sockets: expected a folder, found a file; remove it"
    );
    std::fs::remove_file(&path).unwrap();
    let own = dir.path().join("own");
    make(&own, 0o700);
    symlink(&own, &path).unwrap();
    assert_eq!(
        complaint(&path, system::user()),
        "the folder PATH is not used for sockets: expected a folder, found a symbolic link; remove it"
    );
}

#[test]
fn only_names_that_we_write_are_of_processes() {
    let (_dir, path) = place();
    make(&path, 0o700);
    for name in ["12.sock", "7.sock", "07.sock", "+8.sock", "9.sock.old", "x.sock", "9", ".sock"] {
        std::fs::write(path.join(name), "").unwrap();
    }
    let folder = Folder::open(path, system::user()).unwrap().unwrap();
    assert_eq!(folder.processes(), [7, 12]);
}

#[test]
fn the_runtime_folder_is_used_if_it_is_the_users_alone() {
    let dir = TempDir::new().unwrap();
    let user = system::user();
    let temporary = Path::new("/tmp").join(format!("lockscope-{user}"));
    let own = |path: &Path| own_place(Some(path.into()), user);
    assert_eq!(own(dir.path()), dir.path().join("lockscope"));
    // Set by a user that this one was before.
    let other = Path::new("/tmp").join(format!("lockscope-{}", user + 1));
    assert_eq!(own_place(Some(dir.path().into()), user + 1), other);
    assert_eq!(own(Path::new(".")), temporary);
    assert_eq!(own(&dir.path().join("none")), temporary);
    assert_eq!(own_place(None, user), temporary);
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(own(dir.path()), temporary);
}

/// No process has a number above the greatest that Linux gives.
const NOBODY: u32 = 1 << 30;

#[test]
fn a_stale_socket_is_removed_unless_it_may_be_a_new_one() {
    let (_dir, path) = place();
    make(&path, 0o700);
    let folder = Folder::open(path, system::user()).unwrap().unwrap();
    let own = std::process::id();
    for pid in [NOBODY, own] {
        std::fs::write(folder.socket(pid), "").unwrap();
        folder.remove_stale(pid);
    }
    assert_eq!(folder.processes(), [own]);
    let file = std::fs::File::options().write(true).open(folder.socket(own)).unwrap();
    file.set_modified(std::time::SystemTime::now() - YOUNG * 2).unwrap();
    folder.remove_stale(own);
    assert_eq!(folder.processes(), [0; 0]);
    // Of another user: nothing is taken away.
    std::fs::write(folder.socket(NOBODY), "").unwrap();
    Folder { owner: system::user() + 1, ..folder.clone() }.remove_stale(NOBODY);
    assert_eq!(folder.processes(), [NOBODY]);
}

#[test]
fn the_owner_of_a_process_is_known() {
    assert_eq!(owner_of(std::process::id()), Some(system::user()));
    assert_eq!(owner_of(NOBODY), None);
}
