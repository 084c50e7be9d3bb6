//! Configuration by `LOCKSCOPE_*` variables.

use crate::engine::CLOCK_VARIABLE;
use crate::filter::split_list;
use crate::output::RUN_VARIABLE;
use crate::run::CHILDREN_VARIABLE;

use super::{Given, KEYS, Owner, PREFIX, Place, Sources};

/// Names the configuration file; empty: none is read.
pub(super) const CONFIG: &str = "LOCKSCOPE_CONFIG";
/// Names the host's library, for the probe that opens it.
const HOST: &str = "LOCKSCOPE_HOST";

/// What the variables say, generic keys before those of one backend, which
/// are more exact and therefore override them.
pub(super) fn read(sources: &Sources) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, value) in &sources.variables {
        let Some(name) = name.to_str() else { continue };
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if [CONFIG, HOST, RUN_VARIABLE, CLOCK_VARIABLE, CHILDREN_VARIABLE].contains(&name) {
            continue;
        }
        let key = rest.to_ascii_lowercase();
        let place = Place::Variable(name.to_owned());
        let text = value.to_string_lossy().into_owned();
        let of_host = |values| Given::new(Owner::Host, &key, values, place.clone());
        let said = match key.as_str() {
            "plugin_path" => of_host(folders(&text)),
            "include" | "exclude" => of_host(split_list(&text)),
            known if KEYS.contains(&known) => of_host(vec![text]),
            _ => Given::new(Owner::Variable, rest, vec![text], place),
        };
        given.push(Given { is_text: value.to_str().is_some(), ..said });
    }
    given.sort_by_key(|given| given.owner == Owner::Variable);
    given
}

fn folders(list: &str) -> Vec<String> {
    list.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}
