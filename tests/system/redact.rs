//! What may leave of a document is shown and written from the command line, whole or not at all.

use std::path::Path;

use linesman_tests::run;

const ADDRESSES: &str = "Send all information with IP addresses overwritten";
const ALL: &str = "Send all information";
const TEXT: &str = "peer 10.1.2.3 down, mask 255.255.255.0\nsecret \"s3cr3t\";\nmac 00:00:5e:00:53:01\n";

/// A directory with a document and a key.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rsi.txt"), TEXT).unwrap();
    std::fs::write(dir.path().join("key"), (0..32).collect::<Vec<u8>>()).unwrap();
    dir
}

/// Runs a command with files of the directory, which begin with `@`.
async fn ran(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let args: Vec<String> = args
        .iter()
        .map(|arg| match arg.strip_prefix('@') {
            Some(file) => dir.join(file).to_str().unwrap().to_owned(),
            None => (*arg).to_owned(),
        })
        .collect();
    let ended = run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    (ended.code, ended.stdout, ended.stderr.replace(&format!("{}/", dir.display()), ""))
}

#[tokio::test]
async fn a_document_leaves_as_it_may_and_comes_back() {
    let dir = prepared();
    let dir = dir.path();
    let (code, out, told) = ran(dir, &["redact", "@rsi.txt", "--level", ADDRESSES, "--mac"]).await;
    let expected = "peer x.x.x.x down, mask 255.255.255.0\nsecret \"SECRET-WITHHELD\";\nmac xx:xx:xx:xx:xx:xx\n";
    assert_eq!(
        (code, out.as_str(), told.as_str()),
        (Some(0), expected, "addresses 2 secrets 1 configurations 0 withheld 0\n")
    );
    let redact = ["redact", "@rsi.txt", "--level", ADDRESSES, "--pseudonyms", "--key-file", "@key", "-o", "@out.txt"];
    let (code, out, _) = ran(dir, &redact).await;
    assert_eq!((code, out.as_str()), (Some(0), ""));
    let left = std::fs::read_to_string(dir.join("out.txt")).unwrap();
    assert!(!left.contains("10.1.2.3") && left.contains("255.255.255.0"), "{left}");
    let (code, out, told) = ran(dir, &["unredact", "@out.txt", "--key-file", "@key"]).await;
    assert_eq!((code, out, told.as_str()), (Some(0), TEXT.replace("s3cr3t", "SECRET-WITHHELD"), ""));
    let (code, out, told) = ran(dir, &["redact", "@rsi.txt", "--level", "Do not send", "-o", "@out.txt"]).await;
    assert_eq!(
        (code, out.as_str(), told.as_str()),
        (Some(0), "", "addresses 0 secrets 0 configurations 0 withheld 0\n")
    );
    assert_eq!(std::fs::read_to_string(dir.join("out.txt")).unwrap(), "");
}

#[tokio::test]
async fn canaries_that_would_leave_keep_everything_here() {
    let dir = prepared();
    let dir = dir.path();
    std::fs::write(dir.join("planted"), "# addresses and a secret\n10.1.2.3\ns3cr3t\n").unwrap();
    let check = |level| ["redact", "@rsi.txt", "--level", level, "--canaries", "@planted", "-o", "@out.txt"];
    let (code, _, told) = ran(dir, &check(ALL)).await;
    let expected = "canaries 2 leaked 1\nerror: nothing was written, canaries would leave: `10.1.2.3` 1 times\n";
    assert_eq!((code, told.as_str()), (Some(1), expected));
    assert!(!dir.join("out.txt").exists());
    let (code, _, told) = ran(dir, &check(ADDRESSES)).await;
    assert_eq!(
        (code, told.as_str()),
        (Some(0), "canaries 2 leaked 0\naddresses 1 secrets 1 configurations 0 withheld 0\n")
    );
    assert!(dir.join("out.txt").exists());
}

#[tokio::test]
async fn mistakes_are_told_and_nothing_is_written() {
    let dir = prepared();
    let dir = dir.path();
    std::fs::write(dir.join("short"), [7; 31]).unwrap();
    std::fs::write(dir.join("long"), [7; 33]).unwrap();
    std::fs::write(dir.join("cut.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    std::fs::write(dir.join("none"), "# nothing\n").unwrap();
    let make = "make one with `head -c 32 /dev/urandom`";
    for (args, expected) in [
        (
            &["redact", "@rsi.txt", "--level", ADDRESSES, "--pseudonyms", "--key-file", "@short", "-o", "@out"][..],
            format!("error: `short` is no key\n  because: a key has exactly 32 raw bytes, not 31: {make}\n"),
        ),
        (
            &["unredact", "@rsi.txt", "--key-file", "@long", "-o", "@out"],
            format!("error: `long` is no key\n  because: a key has exactly 32 raw bytes, not 33: {make}\n"),
        ),
        (
            &["unredact", "@rsi.txt", "--key-file", "@gone", "-o", "@out"],
            "error: the key `gone` cannot be read\n  because: No such file or directory (os error 2)\n".into(),
        ),
        (
            &["redact", "@rsi.txt", "--level", ALL, "--pseudonyms", "--key-file", "@key", "-o", "@out"],
            "error: `Send all information` overwrites no addresses: leave out `--pseudonyms`\n".into(),
        ),
        (
            &["redact", "@gone.txt", "--level", ALL, "-o", "@out"],
            "error: `gone.txt` cannot be read\n  because: No such file or directory (os error 2)\n".into(),
        ),
        (
            &["redact", "@rsi.txt", "--level", ALL, "--canaries", "@none", "-o", "@out"],
            "error: `none` is no list of canaries\n  because: there is no canary: write one a line\n".into(),
        ),
    ] {
        let (code, out, told) = ran(dir, args).await;
        assert_eq!((code, out.as_str(), told), (Some(1), "", expected), "{args:?}");
        assert!(!dir.join("out").exists());
    }
    let (code, _, told) = ran(dir, &["redact", "@cut.gz", "--level", ALL, "-o", "@out"]).await;
    assert_eq!((code, told.lines().next()), (Some(1), Some("error: `cut.gz` cannot be carried over")));
    let (code, _, told) = ran(dir, &["redact", "@rsi.txt", "--level", "Send everything"]).await;
    assert!(code == Some(2) && FILTER_LEVELS.iter().all(|level| told.contains(level)), "{told}");
    let left: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 6, "{left:?}");
}

const FILTER_LEVELS: [&str; 3] = ["Do not send", "Send all information except configuration", ADDRESSES];
