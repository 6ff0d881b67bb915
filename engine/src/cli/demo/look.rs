//! Where whoever watches the demo looks next, and what is left of it.

use std::net::SocketAddr;
use std::path::Path;

use super::configuration::CUSTOMER;

/// Commands to copy, while it runs. `is_scratch`: its files go with it.
pub(super) fn next(dir: &Path, api: SocketAddr, is_scratch: bool) -> String {
    let data = dir.join("data");
    let customer = dir.join(CUSTOMER).join("data").display().to_string();
    let (data, rules) = (data.display(), dir.join("rules").display().to_string());
    format!(
        "Where to look next, from another terminal:\n\
         \x20 {}\n\
         \x20 linesman status --data-dir {data}\n\
         \x20 linesman incident list --data-dir {data}\n\
         \x20 linesman case list --data-dir {data}\n\
         \x20 linesman dead list --data-dir {data}\n\
         \x20 linesman tail --data-dir {data}\n\
         \x20 linesman publish FILE --org acme --data-dir {data}\n\
         \x20 linesman check {rules}\n\
         \x20 linesman manager list --under acme --data-dir {data}\n\
         \x20 linesman manager why acme/ben set-manager acme/berlin --data-dir {data}\n\
         \x20 linesman device list --organization acme --data-dir {data}\n\
         \x20 linesman case list --organization {CUSTOMER} --data-dir {data}\n\
         \x20 linesman case list --data-dir {customer}\n\
         \x20 linesman audit list --organization acme --data-dir {data}\n\
         \x20 linesman value explain acme/berlin/line-7 ddos-blackhole community --data-dir {data}\n\
         \x20 curl --cacert {data}/tls/ca.pem -H \"Authorization: Bearer $(cat {data}/token)\" \\\n\
         \x20      'https://{api}/api/v1/incidents?organization=acme'\n\
         Dashboards: deploy/grafana, fed by Prometheus (docs/operations.md) from https://{api}/metrics\n\
         Ctrl-C ends it; {}",
        path(),
        goes(dir, is_scratch),
    )
}

/// The same in a few lines, as a screen has room for.
pub(super) fn in_brief(dir: &Path, is_scratch: bool) -> Vec<String> {
    let data = dir.join("data").display().to_string();
    [
        "Where to look next, from another terminal:".to_owned(),
        path(),
        format!("export LINESMAN_DATA_DIR={data}"),
        "linesman status; linesman incident list; linesman case list".to_owned(),
        "linesman dead list; linesman tail".to_owned(),
        "dashboards: deploy/grafana, fed as docs/operations.md says".to_owned(),
        format!("at the end {}", goes(dir, is_scratch)),
    ]
    .into()
}

/// How a shell finds the command.
fn path() -> String {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).unwrap_or(Path::new("target/release"));
    format!("export PATH=\"{}:$PATH\"", folder.display())
}

fn goes(dir: &Path, is_scratch: bool) -> String {
    let dir = dir.display();
    match is_scratch {
        true => format!("its data, {dir}, go with it (`--data-dir D` keeps them)"),
        false => format!("its data stay in {dir}"),
    }
}

/// What is left of one that is over.
pub(super) fn left(dir: &Path, is_scratch: bool) -> String {
    let shown = dir.display();
    match is_scratch {
        true => format!("Its data, {shown}, are gone (`linesman demo --data-dir D` keeps them)."),
        false => format!("Its data stay in {shown}: {}", goes_on(dir)),
    }
}

/// How an engine goes on with the data of one that is over.
pub(super) fn goes_on(dir: &Path) -> String {
    let dir = dir.display();
    format!("`linesman serve --config {dir}/linesman.toml --data-dir {dir}/data --rules {dir}/rules` goes on with them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_look_next_is_there_to_be_copied() {
        let dir = Path::new("/tmp/demo-1");
        let long = next(dir, ([127, 0, 0, 1], 8443).into(), true);
        let brief = in_brief(dir, false).join("\n");
        for command in ["status", "incident list", "case list", "dead list", "tail"] {
            assert!(long.contains(&format!("linesman {command} --data-dir /tmp/demo-1/data\n")), "{command}: {long}");
            assert!(brief.contains(&format!("linesman {command}")), "{command}: {brief}");
        }
        assert!(brief.contains("export LINESMAN_DATA_DIR=/tmp/demo-1/data\n"), "{brief}");
        for text in [&long, &brief] {
            assert!(text.contains("export PATH=\"/") && text.contains("deploy/grafana"), "{text}");
        }
        assert!(long.ends_with("its data, /tmp/demo-1, go with it (`--data-dir D` keeps them)"), "{long}");
        assert!(brief.ends_with("its data stay in /tmp/demo-1"), "{brief}");
        assert!(left(dir, true).starts_with("Its data, /tmp/demo-1, are gone"));
        assert!(left(dir, false).starts_with("Its data stay in /tmp/demo-1: `linesman serve --config /tmp/demo-1/"));
    }
}
