use super::*;

const USES: &str = "a {{ domain }};";

/// What was good last: services of one template, and the parameters of all.
fn last(services: &[(&str, &str)], parameters: &str) -> ServicesSection {
    let services = services.iter().map(|(name, template)| source(name, template));
    ServicesSection { services: services.collect(), parameters: Some(parameters.to_owned()), ..Default::default() }
}

fn source(name: &str, template: &str) -> ServiceSource {
    let files = [("service.toml", "title = \"T\""), ("a.j2", template)];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    ServiceSource { name: name.parse().unwrap(), files }
}

fn files(services: &[(&str, &str)], parameters: Option<&str>) -> ServiceFiles {
    let folders = services.iter().map(|(name, template)| {
        let source = source(name, template);
        let (within, hash) = (format!("services/{name}"), String::new());
        let (name, faults) = (Some(source.name.clone()), Vec::new());
        ServiceFolder { within, hash, name, source: Some(source), faults, warnings: Vec::new(), is_all: false }
    });
    let parameters = parameters.map(|text| {
        let (hash, text, faults) = (String::new(), Some(text.to_owned()), Vec::new());
        ParametersFile { hash, text, faults }
    });
    ServiceFiles { folders: folders.collect(), parameters }
}

fn told(files: &ServiceFiles) -> Vec<String> {
    let line = |found: &FileFault| {
        let FileFault { within, fault } = found;
        format!("{within}:{}:{}: {}", fault.line, fault.column, fault.message)
    };
    files.faults().map(line).collect()
}

const GLOBALS: &str = "[parameters]\ndomain = { type = \"string\", default = '\"x\"' }\n";
const OTHERS: &str = "[parameters]\nzone = { type = \"string\", default = '\"x\"' }\n";

#[test]
fn a_service_is_checked_beside_the_parameters_of_all() {
    let judged = judge(files(&[("nat", USES), ("drain", "b {{ zone }};")], Some(GLOBALS)), &Default::default());
    assert_eq!(told(&judged), ["services/drain/a.j2:1:6: there is no parameter `zone`"]);
    assert!(judged.folders.iter().all(|folder| folder.source.is_some()));
}

#[test]
fn parameters_that_are_wrong_leave_those_that_were_good_last() {
    let judged =
        judge(files(&[("nat", USES)], Some("[parameters]\ndomain = { type = \"strin\" }")), &last(&[], GLOBALS));
    assert_eq!(told(&judged), ["parameters.toml:2:19: parameter `domain`: type: there is no type `strin`"]);
}

#[test]
fn parameters_that_services_that_stand_would_break_by_are_refused_naming_them() {
    let standing = last(&[("drain", "b;"), ("nat", USES)], GLOBALS);
    let broken = "services would break by it: `nat`; of `nat` a.j2:1: there is no parameter `domain`";
    let judged = judge(files(&[("drain", "b;"), ("nat", USES)], Some(OTHERS)), &standing);
    assert_eq!(told(&judged), [format!("parameters.toml:1:1: {broken}")]);
    // Also where the service's own files are refused, and it goes on as it was.
    let judged = judge(files(&[("drain", "b;"), ("nat", "a {{ other }};")], Some(OTHERS)), &standing);
    let own = "services/nat/a.j2:1:6: there is no parameter `other`".to_owned();
    assert_eq!(told(&judged), [own, format!("parameters.toml:1:1: {broken}")]);
    let judged = judge(files(&[("nat", USES)], None), &standing);
    let gone = "the file is gone, and services need it: `nat`; of `nat` a.j2:1: there is no parameter `domain`";
    assert_eq!(told(&judged), [format!("parameters.toml:1:1: {gone}")]);
}

#[test]
fn parameters_and_services_that_change_together_are_taken() {
    let standing = last(&[("nat", USES)], GLOBALS);
    assert_eq!(told(&judge(files(&[("nat", "a {{ zone }};")], Some(OTHERS)), &standing)), Vec::<String>::new());
    assert_eq!(told(&judge(files(&[], None), &standing)), Vec::<String>::new());
}
