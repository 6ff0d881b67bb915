//! What is said of a wrong configuration, word for word.

use super::super::{Sources, load};
use super::{LEAST, Place, bare, flag, variable};

/// The mistakes of a file with `text`.
fn mistakes(text: &str) -> String {
    let place = Place::new();
    place.plain(&load(&place.sources(text)).unwrap_err())
}

#[test]
fn probe() {
    for text in [
        "lanes = 99\nmode = 'direct'\nlanez = 1\nurl = 'x'\n[upsteam]\na = 1\n[nats]\nsync = 'alway'\nport = 'x'\nreplicas = 3\n",
        "[upstream]\nurl = 'http://x'\n[[organizations]]\n[[organizations]]\nname='a b'\nfilter_level = 'all'\n",
        "upstream = 5\norganizations = 5\n[organization]\n",
        "lanes = \nlisten = 'x\nrules = 'a' 'b'\nlanez = 5\n[upstream\nurl = 'http://x'\nlanes = 1\nlanes = 2\n",
        "a = \"\"\"\nfoo\n",
    ] {
        println!("{}\n-----", mistakes(text));
    }
    let big = |text: String| {
        let start = std::time::Instant::now();
        let got = mistakes(&text);
        println!("{:?} {} {}", start.elapsed(), got.lines().count(), got.lines().last().unwrap());
    };
    big("=\n".repeat(500_000));
    big("[".repeat(16_000));
    big(format!("{}x = 1", "a.".repeat(8_000)));
    big(format!("x = {}", "{a=".repeat(5_000)));
    big(format!("x = {}", "[\n".repeat(500_000)));
    big("[[organizations]]\n".repeat(58_000));
    let mut text = String::new();
    for i in 0..90_000 { text.push_str(&format!("k{i} = 1\n")); }
    big(text);
    let mut text = String::from("x");
    for i in 0..10_000 { text.push_str(&".a".repeat(50)); text.push_str(&format!("{i}=1\nx")); }
    big(text);
}
