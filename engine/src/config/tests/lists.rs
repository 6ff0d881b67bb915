//! A list of which nothing but its table is written: read, printed, explained, documented like any other.

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape, Texts};
use serde_json::json;

use super::super::mistake::Mistakes;
use super::super::{Checked, Content, Explanation, Layers, Sections, Sources, explain, gather, json as as_json, print};
use super::{Folder, document, flag, variable};

static LAMPS: Texts = Texts { one: "a colour", many: "colours", longest: 8, most: 3, help: Some("`red` is one") };

static BEACONS: Section = Section {
    name: "beacons",
    shape: Shape::List("a beacon"),
    doc: "What shines.",
    keys: &[
        Key::new("name", Kind::Text { most: 8 }, "Its name. Required.").required().like("north"),
        Key::new("range_m", Kind::Count { least: 1, most: 90 }, "How far it shines, in metres.").or("30"),
        Key::new("lamps", Kind::Texts(&LAMPS), "Its colours.").like("[\"red\", \"white\"]"),
        Key::new("key_file", Kind::PasswordFile, "What opens it.").like("support-system.password"),
    ],
};

static SKY: Section = Section {
    name: "sky",
    shape: Shape::Optional("nothing is seen"),
    doc: "What is above.",
    keys: &[Key::new("stars", Kind::Texts(&LAMPS), "Those that are looked at. Required in `[sky]`.")
        .required()
        .like("[\"vega\"]")],
};

fn sections() -> Sections {
    let mut all: Vec<&Section> = vec![&BEACONS, &SKY];
    all.extend(Sections::of_program().all());
    Sections::of(all)
}

fn gathered(sources: &Sources) -> (Layers, Content, Checked) {
    let mut mistakes = Mistakes::default();
    let gathered = gather(sections(), sources, &mut mistakes);
    assert!(mistakes.is_empty(), "{mistakes}");
    gathered
}

fn mistakes(sources: &Sources) -> String {
    let mut mistakes = Mistakes::default();
    gather(sections(), sources, &mut mistakes);
    mistakes.sorted().to_string()
}

fn explained(layers: &Layers, name: &str) -> Explanation {
    explain::of(layers, name, &mut Mistakes::default()).unwrap()
}

const TWO: &str = "[[beacons]]\nname = 'north'\nkey_file = 'support-system.password'\n\
                   [[beacons]]\nname = 'south'\nrange_m = 5\nlamps = ['red', 'white']\n";

fn names(checked: &Checked) -> Vec<String> {
    checked.entries.all("beacons").iter().filter_map(|entry| entry.text("name")).collect()
}

#[test]
fn its_reader_finds_what_was_said_and_the_defaults() {
    let folder = Folder::new();
    let (_, _, checked) = gathered(&folder.sources(TWO));
    let [north, south] = checked.entries.all("beacons") else { panic!("{:?}", checked.entries) };
    let of = |entry: &Entry| (entry.text("name").unwrap(), entry.number::<u8>("range_m").unwrap());
    assert_eq!((of(north), of(south)), (("north".to_owned(), 30), ("south".to_owned(), 5)));
    assert_eq!(north.secret("key_file").unwrap().expose(), "hunter2", "what the file holds");
    assert_eq!((north.texts("lamps").len(), south.texts("lamps").len()), (0, 2));
    assert!(south.get("key_file").is_none());
    assert!(!checked.is_there(&SKY) && checked.entries.one("sky").is_none());
}

#[test]
fn it_is_printed_and_read_again() {
    let folder = Folder::new();
    let (layers, _, checked) = gathered(&folder.sources(TWO));
    let text = folder.plain(&print::text(&layers, &checked));
    let expected = r#"
[[beacons]] # linesman.toml:1:1
name = "north"
range_m = 30
lamps = []
key_file = "support-system.password"

[[beacons]] # linesman.toml:4:1
name = "south"
range_m = 5
lamps = ["red", "white"]
# key_file # not set
"#;
    assert!(text.contains("\n# [sky] is not set: nothing is seen\n"), "{text}");
    assert!(text.contains(expected), "{text}");
    let again = gathered(&folder.sources(expected.replace("lamps = []\n", "")));
    assert_eq!(again.2.entries.all("beacons"), checked.entries.all("beacons"));
}

#[test]
fn it_is_json() {
    let folder = Folder::new();
    let (layers, _, checked) = gathered(&folder.sources(TWO));
    let file = folder.path("linesman.toml").display().to_string();
    let expected = json!({
        "name": "south", "range_m": 5, "lamps": ["red", "white"], "key_file": null,
        "from": {"layer": "file", "file": file, "line": 4, "column": 1},
    });
    assert_eq!(as_json::effective(&layers, &checked)["beacons"][1], expected);
}

#[test]
fn later_layers_list_it_anew_and_it_is_explained() {
    let folder = Folder::new();
    let mut sources = folder.sources(TWO);
    sources.environment =
        vec![variable("LINESMAN_BEACONS", "[{ name = 'east' }]"), variable("LINESMAN_SKY_STARS", "['vega', 'deneb']")];
    sources.flags.push(flag("beacons", "--set beacons", "[{ name = 'west', range_m = 9 }]"));
    let (layers, _, checked) = gathered(&sources);
    assert_eq!(names(&checked), ["west"]);
    assert_eq!(checked.entries.one("sky").unwrap().texts("stars"), ["vega", "deneb"]);
    let expected = "\
beacons
  What shines. In the file `[[beacons]]` and the keys of each; in a variable or a flag a list of tables, which counts \
instead of the file's.

  type      a list of tables
  default   none
  set by    the file, LINESMAN_BEACONS, --set beacons=VALUE
  value     west
  from      --set beacons:1:2
  overrode  east, from LINESMAN_BEACONS:1:1
  overrode  north, south, from linesman.toml:1:3
";
    assert_eq!(folder.plain(&explained(&layers, "beacons")), expected);
    let expected = "\
beacons.range_m
  How far it shines, in metres.

  type      a whole number from 1 to 90
  default   30
  set by    the list of beacons, see `--explain beacons`
  value     west: 9
  from      --set beacons:1:2
  overrode  east, from LINESMAN_BEACONS:1:1
  overrode  north, south, from linesman.toml:1:3
";
    assert_eq!(folder.plain(&explained(&layers, "beacons.range_m")), expected);
    assert_eq!(explained(&layers, "beacons.range_m").json()["value"][0]["range_m"], 9);
}

#[test]
fn its_mistakes_are_told_with_what_was_meant() {
    let folder = Folder::new();
    let text = r#"[becons]
[[beacons]]
name = "north"
rang_m = 3
lamps = ["red", "ultramarine"]
[[beacons]]
name = "north"
range_m = 91
lamps = ["a", "b", "c", "d"]
[[beacons]]
key_file = "none"
lamps = []
"#;
    let mut sources = folder.sources(text);
    sources.environment = vec![variable("LINESMAN_BECONS", "[]"), variable("LINESMAN_SKY_STARS", "vega")];
    sources.flags.push(flag("beacons", "--set beacons", "5"));
    let expected = r#"linesman.toml:1:2: there is no section `becons`
  [becons]
   ^^^^^^
  help: did you mean `beacons`?
linesman.toml:4:1: there is no key `rang_m` of a beacon
  rang_m = 3
  ^^^^^^
  help: did you mean `range_m`?
linesman.toml:5:17: a colour must be a text of 1 to 8 printable characters
  lamps = ["red", "ultramarine"]
                  ^^^^^^^^^^^^^
linesman.toml:7:8: beacon `north` is there twice
  name = "north"
         ^^^^^^^
  help: the first is at linesman.toml:3:8
linesman.toml:8:11: `range_m` must be a whole number from 1 to 90, not `91`
  range_m = 91
            ^^
linesman.toml:9:9: `lamps` has 4 entries; at most 3 are allowed
  lamps = ["a", "b", "c", "d"]
          ^^^^^^^^^^^^^^^^^^^^
linesman.toml:10:1: the beacon has no `name`
  [[beacons]]
  ^^^^^^^^^^^
  help: for example `name = "north"`
linesman.toml:12:9: `lamps` must be a list of colours, at least one
  lamps = []
          ^^
  help: `red` is one
LINESMAN_SKY_STARS:1:1: string values must be quoted, expected literal string
  vega
  ^^^^
LINESMAN_BECONS: there is no such setting
  help: did you mean `LINESMAN_BEACONS`?
--set beacons:1:1: `beacons` must be a list of tables
  5
  ^
  help: for example `[{ name = "north" }]`"#;
    assert_eq!(folder.plain(&mistakes(&sources)), expected);
    let text = "[sky]\n[[beacons]]\nname = 'a'\nkey_file = 'none'\n";
    let expected = r#"linesman.toml:1:2: `sky.stars` is missing
  [sky]
   ^^^
linesman.toml:4:12: the password in `none` cannot be used: there is no such file
  key_file = 'none'
             ^^^^^^"#;
    assert_eq!(folder.plain(&mistakes(&folder.sources(text))), expected);
    let mut mistakes = Mistakes::default();
    let (layers, _, _) = gathered(&folder.sources(TWO));
    assert!(explain::of(&layers, "range_m", &mut mistakes).is_none());
    assert_eq!(mistakes.to_string(), "--explain: there is no key `range_m`\n  help: did you mean `beacons.range_m`?");
}

#[test]
fn it_is_documented() {
    let expected = "
## `[[beacons]]`

What shines. In the file `[[beacons]]` and the keys of each; in a variable or a flag a list of tables, which counts \
instead of the file's.

| key | value | default | meaning |
|---|---|---|---|
| `name` | a text of 1 to 8 printable characters | - | Its name. Required. |
| `range_m` | a whole number from 1 to 90 | `30` | How far it shines, in metres. |
| `lamps` | a list of colours, at least one | - | Its colours. |
| `key_file` | a path | - | What opens it. |
";
    assert_eq!(document::chapter(&BEACONS), expected);
    let complete = document::complete(&sections());
    let beacon = "[[beacons]]\nname = \"north\"\nrange_m = 30\nlamps = [\"red\", \"white\"]\nkey_file = ";
    assert!(complete.contains(beacon), "{complete}");
    let folder = Folder::new();
    let (_, _, checked) = gathered(&folder.sources(&complete));
    assert_eq!(names(&checked), ["north"]);
    assert_eq!(checked.entries.one("sky").unwrap().texts("stars"), ["vega"]);
}
