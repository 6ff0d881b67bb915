//! What of a policy is of no use in the mode of an installation: triggers that nothing fires there, and actions on what
//! there is not. It is loaded all the same, for the mode may change.

use linesman_schemas::Mode;
use linesman_schemas::control::PolicySource;
use linesman_schemas::trigger::Trigger;
use rhai::{ASTNode, Expr, Stmt};

use crate::diagnostic::{Code, Diagnostic, Faults};
use crate::header;
use crate::script::{ACTIONS, FORWARD, Limits, Parser};
use crate::triggers::Triggers;

/// What of a policy without fault is of no use in a mode, in order of place; each names the modes it needs.
pub fn of_no_use(source: &PolicySource, mode: Mode) -> Vec<Diagnostic> {
    let mut faults = Faults::default();
    let Some(parsed) = Parser::new(&Limits::default()).parse(&source.source, &mut faults) else { return Vec::new() };
    let Some(header) = header::read(parsed.ast(), source.owner.is_some(), &mut faults) else { return Vec::new() };
    if !faults.is_empty() {
        return Vec::new();
    }
    let triggers: &[Trigger] = match &header.triggers {
        Triggers::These(triggers) => triggers,
        Triggers::AllAudits => &[],
    };
    for trigger in triggers {
        if let Some(needed) = mode.lacks_trigger(*trigger) {
            let message = format!("`{trigger}` needs mode {needed}, and the mode is `{mode}`: nothing fires it");
            faults.add(Code::NeverMatches, header.triggers_at, message);
        }
    }
    let own: Vec<String> = parsed.ast().iter_fn_def().map(|function| function.name.to_string()).collect();
    parsed.ast().walk(&mut |path: &[ASTNode<'_>]| {
        let (name, at) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => (&call.name, *at),
            _ => return true,
        };
        let actions = ACTIONS.iter().map(|action| action.name).chain([FORWARD]);
        let action = actions.into_iter().find(|action| *action == name.as_str() && !own.contains(&name.to_string()));
        // It is no operation of its own: somebody approves, or nobody can.
        let (operation, so) = match action {
            Some("require_approval") => ("approve-approval".to_owned(), "what needs approval behind it is not done"),
            Some(FORWARD) => ("send-intelligence".to_owned(), "it does nothing"),
            Some(name) => (name.replace('_', "-"), "it does nothing"),
            None => return true,
        };
        if let Some(needed) = mode.lacks_operation(&operation) {
            let message = format!("`{name}` needs mode {needed}, and the mode is `{mode}`: {so}");
            faults.add(Code::NeverMatches, at.into(), message);
        }
        true
    });
    faults.into_sorted(&source.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, mode: Mode) -> Vec<(u32, u32, String)> {
        let source = PolicySource { name: "p".parse().unwrap(), owner: None, source: source.to_owned(), origin: None };
        crate::Policy::load(&source).unwrap();
        of_no_use(&source, mode).into_iter().map(|found| (found.line, found.column, found.message)).collect()
    }

    #[test]
    fn what_only_partners_have_is_said_where_it_stands() {
        let source = "policy(#{ on: \"incident.reported-by-end-customer\" });\n\
             fn react(incident, org) {\n    if incident.priority == \"High\" { forward_case(); } else { handle_case() }\n}";
        assert_eq!(found(source, Mode::Partner), []);
        for mode in [Mode::Direct, Mode::EndCustomer, Mode::Demo, Mode::Offline] {
            let needs = |what: &str, so: &str| format!("`{what}` needs mode `partner`, and the mode is `{mode}`: {so}");
            let expected = [
                (1, 15, needs("incident.reported-by-end-customer", "nothing fires it")),
                (3, 38, needs("forward_case", "it does nothing")),
                (3, 63, needs("handle_case", "it does nothing")),
            ];
            assert_eq!(found(source, mode), expected);
        }
    }

    #[test]
    fn approvals_are_the_partners() {
        let source =
            "policy(#{ on: \"approval.required\" });\nfn react(approval, org) { require_approval(\"two-person\"); }";
        assert_eq!(found(source, Mode::Partner), []);
        let needs = |what: &str, so: &str| format!("`{what}` needs mode `partner`, and the mode is `direct`: {so}");
        let expected = [
            (1, 15, needs("approval.required", "nothing fires it")),
            (2, 27, needs("require_approval", "what needs approval behind it is not done")),
        ];
        assert_eq!(found(source, Mode::Direct), expected);
    }

    #[test]
    fn what_is_sent_on_is_the_partners() {
        let source = "policy(#{ on: \"intelligence.matched\" });\n\
             fn react(message, org) { forward_intelligence(message, #{ only_affected: true }); }";
        assert_eq!(found(source, Mode::Partner), []);
        let message = "`forward_intelligence` needs mode `partner`, and the mode is `direct`: it does nothing";
        assert_eq!(found(source, Mode::Direct), [(2, 26, message.to_owned())]);
    }

    #[test]
    fn functions_of_ones_own_and_audits_of_all_are_passed_over() {
        let source = "policy(#{ on: \"audit.*\" });\nfn react(record, org) { publish(\"x\", #{}); }";
        assert_eq!(found(source, Mode::Direct), []);
        let source = "policy(#{ on: [\"audit.close-case\", \"audit.handle-case\"] });\nfn react(record, org) {}";
        let message = "`audit.handle-case` needs mode `partner`, and the mode is `demo`: nothing fires it";
        assert_eq!(found(source, Mode::Demo), [(1, 15, message.to_owned())]);
    }
}
