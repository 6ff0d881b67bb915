//! What would take without end ends with a fault, and not with time.

use super::faults;

#[test]
fn holding_long_lists_against_long_constraints_ends_with_the_steps_there_are() {
    let list = |from: usize| {
        let numbers: Vec<String> = (from * 800..from * 800 + 800).map(|number| number.to_string()).collect();
        format!("a{from}:number=[{}]", numbers.join(","))
    };
    let mut said: Vec<String> = (0..8).map(list).collect();
    said.push("rate in [a0, a1, a2, a3, a4, a5, a6, a7]".to_owned());
    said.push("r:number=0..6399".to_owned());
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let given = format!("rate=[{}]", vec!["r"; 1_000].join(","));
    let parameters = "rate = { type = \"number\" }";
    let found = faults(parameters, &[("enterprise", &said), ("site", &[given.as_str()])]);
    // Of a number a list of integers does not hold what lies between them.
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("admits"), "{found:?}");
}

#[test]
fn looking_for_circles_ends_with_the_steps_there_are() {
    let names = |source: usize, count: usize| (0..count).map(move |at| format!("n{source}_{at}")).collect::<Vec<_>>();
    let sources = ["localized", "enterprise", "subscription-enterprise", "site", "subscription-site", "line"];
    let mut all: Vec<Vec<String>> = Vec::new();
    for source in 0..sources.len() {
        let above = source.checked_sub(1).map(|above| names(above, 120).join("+")).unwrap_or("1".to_owned());
        let mut said: Vec<String> = names(source, 160).iter().map(|name| format!("{name}:number={above}")).collect();
        if source == 0 {
            said.extend(["zz:number=yy".to_owned(), "yy:number=zz".to_owned()]);
        }
        all.push(said);
    }
    let texts: Vec<Vec<&str>> = all.iter().map(|said| said.iter().map(String::as_str).collect()).collect();
    let sources: Vec<(&str, &[&str])> = sources.into_iter().zip(texts.iter().map(Vec::as_slice)).collect();
    let found = faults("rate = { type = \"rate\" }", &sources);
    assert!(found.iter().any(|fault| fault.contains("in a circle: yy -> zz -> yy")), "{found:?}");
}
