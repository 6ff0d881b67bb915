//! `linesman check` says what `tests/fixtures/check` has, word for word. `LINESMAN_BLESS=1` writes anew
//! what is expected; look at the difference before it is committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use linesman_rules::Code;
use linesman_tests::{Ended, World, run};
use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/check");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// Runs the check on a case, with its configuration if it has one. Its files are named from the case's folder on.
async fn check(case: &Path, flags: &[&str]) -> Ended {
    let rules = case.join("rules");
    let mut args = vec!["check", rules.to_str().unwrap()];
    let config = case.join("config.toml");
    if config.exists() {
        args.extend(["--config", config.to_str().unwrap()]);
    }
    args.extend(flags);
    let mut ended = run(&args).await.unwrap();
    ended.stdout = ended.stdout.replace(&format!("{}/", case.to_str().unwrap()), "");
    ended
}

fn compare(found: &str, file: &Path) {
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::write(file, found).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(found, expected, "{}: run with LINESMAN_BLESS=1 to write it anew", file.display());
}

#[tokio::test]
async fn every_case_says_what_is_expected() {
    let mut codes = BTreeSet::new();
    for case in cases() {
        let text = check(&case, &[]).await;
        compare(&text.stdout, &case.join("expected.txt"));
        let json = check(&case, &["--json"]).await;
        compare(&json.stdout, &case.join("expected.jsonl"));
        let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors = lines.iter().filter(|line| line["severity"] == "error").count();
        let code = Some(i32::from(errors > 0));
        assert_eq!((text.code, json.code), (code, code), "{}", case.display());
        assert_eq!((&*text.stderr, &*json.stderr), ("", ""), "{}", case.display());
        assert!(!text.stdout.contains(|c: char| c.is_control() && c != '\n'), "{}", case.display());
        codes.extend(lines.iter().map(|line| line["code"].as_str().unwrap().to_owned()));
    }
    // Each sort of fault has its case.
    assert_eq!(codes, Code::ALL.iter().map(|code| code.as_str().to_owned()).collect());
}

#[tokio::test]
async fn what_is_of_no_use_in_a_mode_is_a_warning_that_names_the_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("rules")).unwrap();
    let policy =
        "policy(#{ on: \"incident.reported-by-end-customer\" });\nfn react(incident, org) { forward_case(); }\n";
    std::fs::write(path("rules/p.rhai"), policy).unwrap();
    std::fs::write(path("end-customer.toml"), "mode = \"end-customer\"\n").unwrap();
    let said = async |more: &[&str]| {
        let ended = run(&[&["check", &path("rules"), "--json"], more].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        let lines = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        let said = lines
            .map(|line: Value| format!("{} {}", line["severity"].as_str().unwrap(), line["message"].as_str().unwrap()));
        said.collect::<Vec<_>>()
    };
    assert_eq!(said(&[]).await, Vec::<String>::new(), "nobody says which mode it is");
    assert_eq!(said(&["--mode", "partner"]).await, Vec::<String>::new());
    let needs = |mode: &str| {
        [("incident.reported-by-end-customer", "nothing fires it"), ("forward_case", "it does nothing")]
            .map(|(what, so)| format!("warning `{what}` needs mode `partner`, and the mode is `{mode}`: {so}"))
    };
    assert_eq!(said(&["--mode", "direct"]).await, needs("direct"));
    assert_eq!(said(&["--config", &path("end-customer.toml")]).await, needs("end-customer"));
    let wrong = run(&["check", &path("rules"), "--mode", "both"]).await.unwrap();
    assert_eq!(wrong.code, Some(2));
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let policy = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) {}\n";
    let error = async |args: &[&str]| {
        let ended = run(args).await.unwrap();
        (ended.code, format!("{}{}", ended.stdout, ended.stderr))
    };

    let missing = path("missing");
    let said = format!(
        "error: nothing is checked: name a directory with policies\n  because: the rules in `{missing}` cannot be \
             read\n  because: No such file or directory (os error 2)\n"
    );
    assert_eq!(error(&["check", &missing]).await, (Some(1), said));

    std::fs::write(path("p.rhai"), policy).unwrap();
    let said = format!("error: `{}` is a file: name the rule directory it lies in\n", path("p.rhai"));
    assert_eq!(error(&["check", &path("p.rhai")]).await, (Some(1), said));

    std::fs::create_dir(path("large")).unwrap();
    std::fs::write(path("large/p.rhai"), vec![b'\n'; (4 << 20) + 1]).unwrap();
    let said = format!(
        "{}:1:1: error: the file has 4194305 bytes, a policy has at most 4194304\n1 policy, 1 fault\n",
        path("large/p.rhai")
    );
    assert_eq!(error(&["check", &path("large")]).await, (Some(1), said));

    assert_eq!(run(&["check"]).await.unwrap().code, Some(2));
    assert_eq!(run(&["check", ".", "--jsn"]).await.unwrap().code, Some(2));
    let help = run(&["check", "--help"]).await.unwrap().stdout;
    for word in ["--json", "end_column", "severity", "Exit codes:", "unknown-function"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[tokio::test]
async fn a_warning_fails_only_where_it_is_strict() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/check/likely");
    assert_eq!(check(&case, &[]).await.code, Some(0));
    assert_eq!(check(&case, &["--strict"]).await.code, Some(1));
    let clean = case.with_file_name("clean");
    assert_eq!(check(&clean, &["--strict"]).await.code, Some(0));
}

#[tokio::test]
async fn organizations_that_the_engine_does_not_know_are_told_by_the_check_and_at_the_load() {
    let world = World::new().unwrap();
    let policy =
        |header: &str| format!("policy(#{{ on: \"incident.detected\"{header} }});\nfn react(incident, org) {{}}\n");
    world.policy("acmee/own", &policy("")).unwrap();
    world.policy("acme/own", &policy("")).unwrap();
    world.policy("some", &policy(", organizations: [\"acmee\", \"acme\"]")).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let (rules, data) = (world.rules(), world.data());
    let args = ["check", rules.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let ended = run(&args).await.unwrap();
    let said = ended.stdout.replace(&format!("{}/", rules.display()), "");
    let expected = "acmee:1:1: warning: no policy in this folder judges anything: the engine knows no organization `acmee`\n    \
                    = help: did you mean `acme`?\n\
                    some.rhai:1:52: warning: the engine knows no organization `acmee`\n \
                    1 | policy(#{ on: \"incident.detected\", organizations: [\"acmee\", \"acme\"] });\n   \
                    |                                                    ^^^^^^^\n   \
                    = help: did you mean `acme`?\n\
                    3 policies, no fault, 2 warnings\n";
    assert_eq!(
        (ended.code, said.replace("    = help", "   = help")),
        (Some(0), expected.replace("    = help", "   = help"))
    );
    assert_eq!(run(&[&args[..], &["--strict"]].concat()).await.unwrap().code, Some(1));

    // The engine has told of both, and tells once of each text.
    let told = |engine: &linesman_tests::Engine| {
        engine.log().lines().filter(|line| line.contains("a policy is for nobody")).count()
    };
    engine.tells("a policy is for nobody").await;
    assert_eq!(told(&engine), 2, "{}", engine.log_tail());
    world.policy("zeta/own", &policy("")).unwrap();
    engine.tells("no organization `zeta`").await;
    assert_eq!(told(&engine), 3, "{}", engine.log_tail());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    let ended = run(&args).await.unwrap();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no engine is ready there"), "{}", ended.stderr);
}
