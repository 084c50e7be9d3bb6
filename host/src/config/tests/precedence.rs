use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Config, FILE_NAME, Overrides, Place, Placed, Signal, Sources};
use super::{backend, folder, resolve, sources};
use crate::filter::LockPattern;

const NO_OTHERS: &[String] = &[];

/// The last of several that says something.
fn last<T: Copy, const N: usize>(layers: [Option<T>; N]) -> Option<(usize, T)> {
    layers.into_iter().enumerate().filter_map(|(layer, value)| Some((layer, value?))).next_back()
}

/// One value in each of the places where it can stand, of which any may be
/// empty.
fn layers<const N: usize>() -> impl Strategy<Value = [Option<u32>; N]> {
    prop::array::uniform(prop::option::of(1..1000_u32))
}

/// `prefix`, the value and `suffix`; nothing if there is no value.
fn written(prefix: &str, value: Option<u32>, suffix: &str) -> String {
    value.map(|value| format!("{prefix}{value}{suffix}\n")).unwrap_or_default()
}

fn texts(patterns: &[Placed<LockPattern>]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.value.to_string()).collect()
}

fn in_file(folder: &Path, line: usize) -> Place {
    Place::File { path: folder.join(FILE_NAME), line }
}

proptest! {
    #[test]
    fn the_last_source_that_says_something_wins(given in layers::<3>()) {
        let [file, variable, flag] = given;
        let dir = folder(&written("flush_interval = \"", file, "s\""));
        let variable = variable.map(|seconds| format!("{seconds}s"));
        let variables: Vec<(&str, &str)> =
            variable.iter().map(|text| ("LOCKSCOPE_FLUSH_INTERVAL", text.as_str())).collect();
        let mut overrides = Overrides::default();
        if let Some(seconds) = flag {
            let place = Place::Flag("--flush-interval");
            overrides.set("flush_interval", format!("{seconds}s"), place);
        }
        let config = Config::resolve(&sources(dir.path(), &variables), &overrides).unwrap();
        let (place, seconds) = match last(given) {
            None => (Place::BuiltIn, 10),
            Some((0, seconds)) => (in_file(dir.path(), 1), seconds),
            Some((1, seconds)) => (Place::Variable("LOCKSCOPE_FLUSH_INTERVAL".into()), seconds),
            Some((_, seconds)) => (Place::Flag("--flush-interval"), seconds),
        };
        prop_assert_eq!(config.flush_interval.value, Duration::from_secs(seconds.into()));
        prop_assert_eq!(config.flush_interval.place, place);
    }

    #[test]
    fn within_a_source_the_backends_own_key_wins(given in layers::<6>()) {
        let [file, table, variable, own_variable, flag, set] = given;
        let text = written("period = ", file, "") + "[wrapper]\n" + &written("period = ", table, "");
        let dir = folder(&text);
        let variables = [("LOCKSCOPE_WRAPPER_PERIOD", own_variable), ("LOCKSCOPE_PERIOD", variable)];
        let sources = Sources {
            variables: variables
                .iter()
                .filter_map(|(name, value)| Some((name.into(), (*value)?.to_string().into())))
                .collect(),
            folder: Some(dir.path().to_owned()),
        };
        let mut overrides = Overrides::default();
        if let Some(period) = flag {
            overrides.set("period", period.to_string(), Place::Flag("--period"));
        }
        if let Some(period) = set {
            overrides.setting("period", period.to_string(), Place::Flag("--set"));
        }
        let config = Config::resolve(&sources, &overrides).unwrap();
        let resolved = config.settings_for(&backend(), NO_OTHERS).unwrap();
        let (_, value, _) = &resolved.settings[0];
        let expected = last(given).map_or(100, |(_, period)| period);
        prop_assert_eq!(value, &expected.to_string());
    }
}

#[test]
fn nobody_says_anything() {
    let dir = tempfile::TempDir::new().unwrap();
    let config = resolve(dir.path(), &[]).unwrap();
    assert_eq!(config.backend.value, "wrapper");
    assert_eq!(config.output, None);
    assert_eq!(config.output_of(7).value, Path::new("lockscope-7.json"));
    assert_eq!(config.flush_interval.value, Duration::from_secs(10));
    assert!(config.plugin_path.is_empty());
    assert!(!config.strict.value);
    assert!(config.enabled.value);
    assert!(config.include.is_empty() && config.exclude.is_empty());
    assert!(config.control.value);
    assert_eq!(config.wake_signal, None);
    assert_eq!((config.stacks.value, config.max_stacks.value), (0, 16_384));
    assert_eq!(config.file, None);
    let resolved = config.settings_for(&backend(), NO_OTHERS).unwrap();
    assert!(resolved.settings.iter().all(|(_, _, place)| *place == Place::BuiltIn));
}

#[test]
fn a_file_can_say_everything() {
    let dir = folder(
        "backend = \"other\"\noutput = \"out/{pid}.json\"\nflush_interval = \"500ms\"\n\
         plugin_path = [\"one\", \"/two\"]\nstrict = true\nenabled = false\nperiod = 1_000\n\
         include = [\"name:a, b\", \"kind:mutex\"]\nexclude = \"site:src/*\"\n\
         control = false\nwake_signal = \"SIGUSR2\"\nstacks = 64\nmax_stacks = 70\n",
    );
    let config = resolve(dir.path(), &[]).unwrap();
    assert_eq!(config.backend.value, "other");
    assert_eq!(config.output_of(7).value, dir.path().join("out/7.json"));
    assert_eq!(config.output_of(7).place, in_file(dir.path(), 2));
    assert_eq!(config.flush_interval.value, Duration::from_millis(500));
    let folders: Vec<&Path> =
        config.plugin_path.iter().map(|folder| folder.value.as_path()).collect();
    assert_eq!(folders, [dir.path().join("one").as_path(), Path::new("/two")]);
    assert!(config.strict.value);
    assert!(!config.enabled.value);
    assert_eq!(texts(&config.include), ["name:a, b", "kind:mutex"]);
    assert_eq!(texts(&config.exclude), ["site:src/*"]);
    assert_eq!(config.exclude[0].place, in_file(dir.path(), 9));
    assert!(!config.control.value);
    assert_eq!(config.wake_signal.as_ref().unwrap().value.number(), libc::SIGUSR2);
    assert_eq!((config.stacks.value, config.max_stacks.value), (64, 70));
    assert_eq!(config.stacks.place, in_file(dir.path(), 12));
    assert_eq!(config.file, Some(dir.path().join(FILE_NAME)));
    let resolved = config.settings_for(&backend(), NO_OTHERS).unwrap();
    assert_eq!(resolved.settings[0].1, "1000");
}

#[test]
fn variables_can_say_everything() {
    let dir = folder("backend = \"other\"\nplugin_path = \"gone\"\n");
    let config = resolve(
        dir.path(),
        &[
            ("LOCKSCOPE_BACKEND", "wrapper"),
            ("LOCKSCOPE_OUTPUT", "here.json"),
            ("LOCKSCOPE_PLUGIN_PATH", "/one::two"),
            ("LOCKSCOPE_STRICT", "on"),
            ("LOCKSCOPE_ENABLED", "0"),
            ("LOCKSCOPE_INCLUDE", "name:a[,]b, kind:mutex,"),
            ("LOCKSCOPE_EXCLUDE", "site:src/*"),
            ("LOCKSCOPE_CONTROL", "off"),
            ("LOCKSCOPE_WAKE_SIGNAL", "usr1"),
            ("LOCKSCOPE_STACKS", "16"),
            ("LOCKSCOPE_MAX_STACKS", "500"),
            ("LOCKSCOPE_WRAPPER_MAX_LOCKS", "9"),
            ("LOCKSCOPE_HOST", "of no meaning here"),
            ("HOME", "not ours"),
        ],
    )
    .unwrap();
    assert_eq!(config.backend.value, "wrapper");
    // A path that was not in a file is seen from where the process is.
    assert_eq!(config.output_of(7).value, Path::new("here.json"));
    let folders: Vec<&Path> =
        config.plugin_path.iter().map(|folder| folder.value.as_path()).collect();
    assert_eq!(folders, [Path::new("/one"), Path::new("two")]);
    assert!(config.strict.value);
    assert!(!config.enabled.value);
    assert_eq!(texts(&config.include), ["name:a[,]b", "kind:mutex"]);
    assert_eq!(texts(&config.exclude), ["site:src/*"]);
    assert!(!config.control.value);
    assert_eq!(config.wake_signal.as_ref().unwrap().value.number(), libc::SIGUSR1);
    assert_eq!((config.stacks.value, config.max_stacks.value), (16, 500));
    let resolved = config.settings_for(&backend(), NO_OTHERS).unwrap();
    assert_eq!(resolved.settings[1].1, "9");
}

#[test]
fn paths_in_a_file_are_seen_from_its_folder() {
    let dir = folder("");
    let nested = dir.path().join("conf");
    std::fs::create_dir(&nested).unwrap();
    let named = nested.join("named.toml");
    std::fs::write(
        &named,
        "backend = \"./mine.so\"\noutput = \"../out.json\"\nplugin_path = \"plugins\"\n",
    )
    .unwrap();
    let config = resolve(dir.path(), &[("LOCKSCOPE_CONFIG", "conf/named.toml")]).unwrap();
    assert_eq!(Path::new(&config.backend.value), nested.join("mine.so"));
    assert_eq!(config.output_of(7).value, nested.join("../out.json"));
    assert_eq!(config.plugin_path[0].value, nested.join("plugins"));
}

#[test]
fn the_flag_names_another_file_than_the_variable() {
    let dir = folder("strict = true\n");
    for name in ["variable.toml", "flag.toml"] {
        std::fs::write(dir.path().join(name), format!("output = \"{name}.json\"\n")).unwrap();
    }
    let sources = sources(dir.path(), &[("LOCKSCOPE_CONFIG", "variable.toml")]);
    let mut overrides = Overrides::default();
    overrides.config("flag.toml".into(), Place::Flag("--config"));
    let config = Config::resolve(&sources, &overrides).unwrap();
    assert_eq!(config.output_of(7).value, dir.path().join("flag.toml.json"));
    // A file that is named stands in place of the folder's own.
    assert!(!config.strict.value);
}

#[test]
fn an_empty_name_stands_for_no_file() {
    let dir = folder("strict = true\n");
    assert!(!resolve(dir.path(), &[("LOCKSCOPE_CONFIG", "")]).unwrap().strict.value);
}

#[test]
fn keys_of_other_backends_wait_for_their_turn() {
    let dir = folder("[other]\nanything = 1\n[wrapper]\nmax_locks = 7\n");
    let config = resolve(dir.path(), &[("LOCKSCOPE_OTHER_ANYTHING", "2")]).unwrap();
    let resolved = config.settings_for(&backend(), &["other".to_owned()]).unwrap();
    assert_eq!(resolved.settings[1].1, "7");
}

#[test]
fn a_privileged_process_takes_nothing_from_where_it_was_started() {
    let dir = folder("strict = true\n");
    let environment = || sources(dir.path(), &[("LOCKSCOPE_BACKEND", "theirs")]);
    let config = |privileged| {
        Config::resolve(&Sources::honoured(privileged, environment), &Overrides::default()).unwrap()
    };
    assert_eq!(config(false).backend.value, "theirs");
    assert!(config(false).strict.value);
    assert_eq!(config(true).backend.value, "wrapper");
    assert!(!config(true).strict.value);
}

#[test]
fn words_for_yes_and_no() {
    let dir = tempfile::TempDir::new().unwrap();
    for (word, meant) in [
        ("true", true),
        ("1", true),
        ("YES", true),
        ("on", true),
        ("false", false),
        ("0", false),
        ("no", false),
        ("Off", false),
    ] {
        let config = resolve(dir.path(), &[("LOCKSCOPE_ENABLED", word)]).unwrap();
        assert_eq!(config.enabled.value, meant, "{word}");
    }
}

#[test]
fn units_of_time() {
    let dir = tempfile::TempDir::new().unwrap();
    for (text, ms) in [("1ms", 1), ("2s", 2_000), ("3 m", 180_000), ("1h", 3_600_000)] {
        let config = resolve(dir.path(), &[("LOCKSCOPE_FLUSH_INTERVAL", text)]).unwrap();
        assert_eq!(config.flush_interval.value, Duration::from_millis(ms), "{text}");
    }
}

#[test]
fn a_list_stands_in_place_of_the_one_before() {
    let dir = folder("include = [\"name:a\", \"name:b\"]\nexclude = [\"kind:once\"]\n");
    let of_variables = |variables: &[(&str, &str)], overrides: &Overrides| {
        let config = Config::resolve(&sources(dir.path(), variables), overrides).unwrap();
        (texts(&config.include), texts(&config.exclude))
    };
    let (a, b, c) = ("name:a".to_owned(), "name:b".to_owned(), "name:c".to_owned());
    let once = vec!["kind:once".to_owned()];
    let mut overrides = Overrides::default();
    assert_eq!(of_variables(&[], &overrides), (vec![a.clone(), b.clone()], once.clone()));
    let variables = [("LOCKSCOPE_INCLUDE", "name:c"), ("LOCKSCOPE_EXCLUDE", "")];
    assert_eq!(of_variables(&variables, &overrides), (vec![c.clone()], vec![]));
    overrides.add("include", "name:b", Place::Flag("--include"));
    overrides.add("exclude", "name:c", Place::Flag("--exclude"));
    // A flag's value is one pattern, and repeating it adds another.
    overrides.add("include", "name:a,b", Place::Flag("--include"));
    let expected = (vec![b, "name:a,b".to_owned()], vec![c]);
    assert_eq!(of_variables(&variables, &overrides), expected);
}

#[test]
fn names_of_signals() {
    let dir = folder("wake_signal = \"SIGHUP\"\n");
    let named = |name: &str| -> Option<Signal> {
        let config = resolve(dir.path(), &[("LOCKSCOPE_WAKE_SIGNAL", name)]).unwrap();
        config.wake_signal.map(|signal| signal.value)
    };
    for (name, number, shown) in [
        ("USR2", libc::SIGUSR2, "SIGUSR2"),
        ("sigusr2", libc::SIGUSR2, "SIGUSR2"),
        ("SIGWINCH", libc::SIGWINCH, "SIGWINCH"),
        ("RTMIN+1", libc::SIGRTMIN() + 1, "SIGRTMIN+1"),
        ("SIGRTMIN+15", libc::SIGRTMIN() + 15, "SIGRTMIN+15"),
    ] {
        let signal = named(name).unwrap();
        assert_eq!((signal.number(), signal.to_string().as_str()), (number, shown));
        assert_eq!(named(shown), Some(signal));
    }
    assert_eq!(named("none"), None);
    assert_eq!(resolve(dir.path(), &[]).unwrap().wake_signal.unwrap().value.to_string(), "SIGHUP");
}

#[test]
fn if_nothing_is_to_be_profiled_nothing_else_can_be_wrong() {
    let dir = folder("enabled = false\ncolour = \"blue\"\nstrict = true\n");
    let config = |variables: &[(&str, &str)]| resolve(dir.path(), variables);
    let off = config(&[("LOCKSCOPE_PERIOD", "7")]).unwrap();
    assert_eq!(off.enabled, Placed { value: false, place: in_file(dir.path(), 1) });
    assert!(!off.strict.value);
    assert!(config(&[("LOCKSCOPE_ENABLED", "false")]).is_ok_and(|config| !config.enabled.value));
    // The last word counts, and it must be one.
    assert!(config(&[("LOCKSCOPE_ENABLED", "true")]).is_err());
    assert!(config(&[("LOCKSCOPE_ENABLED", "of")]).is_err());
    std::fs::write(dir.path().join(FILE_NAME), "enabled: no").unwrap();
    assert!(config(&[]).is_err());
    assert!(config(&[("LOCKSCOPE_ENABLED", "false")]).is_ok_and(|config| !config.enabled.value));
}
