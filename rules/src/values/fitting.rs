//! What of an expression can never fit, whatever the parameters that it names come to: operands of functions and operators,
//! ends of ranges, and what its branches and elements give the parameter that is substituted. Branches are held each for
//! itself, whether they will ever count or not.

use super::expression::{Expression, Kind, Node};
use super::functions::Function;
use super::mistake::Mistake;
use super::name::Name;
use super::operators::Operator;
use super::sorts::Sorts;
use super::types::Types;

/// What does not fit, the first of it.
#[derive(Debug)]
pub(super) enum Misfit<'e> {
    /// An operand is none of what its function or operator takes.
    Operand { operand: &'e Node, found: Sorts, sign: &'static str, wanted: &'static str },
    /// Two operands that have to be of one kind are not.
    Pair { sign: &'static str, operands: [(&'e Node, Sorts); 2] },
    /// A part is what no parameter of these types takes.
    Given { part: &'e Node, found: Sorts },
    /// A part is wrong by itself.
    Wrong(Mistake),
}

/// What an expression is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use<'t> {
    /// The value of a parameter of these types.
    Value(&'t Types),
    /// What such a parameter is narrowed to.
    Constraint(&'t Types),
}

/// The first part of an expression that can never fit; none where all may. `types` gives those of a parameter; none for what
/// nobody knows.
pub(super) fn misfit<'e, 't>(
    expression: &'e Expression,
    types: &dyn Fn(&Name) -> Option<&'t Types>,
    used: Use<'_>,
) -> Option<Misfit<'e>> {
    let mut look = Look { types, found: None };
    match used {
        Use::Value(types) => {
            look.at(expression.root());
            if Sorts::of(types) != Sorts::ALL {
                look.given(expression.root(), types, Sorts::of(types));
            }
        }
        Use::Constraint(types) => {
            let held = Sorts::RANGE.or(Sorts::LIST).or(Sorts::NETWORK);
            look.wants(expression.root(), "in", "a range, a network or a list", held);
            look.chosen(expression.root(), Sorts::narrowing(types));
        }
    }
    look.found
}

struct Look<'e, 't, 'f> {
    types: &'f dyn Fn(&Name) -> Option<&'t Types>,
    found: Option<Misfit<'e>>,
}

impl<'e> Look<'e, '_, '_> {
    fn note(&mut self, misfit: Misfit<'e>) {
        self.found.get_or_insert(misfit);
    }

    /// Looks at a part; hands back what it may come to.
    fn at(&mut self, node: &'e Node) -> Sorts {
        match &node.kind {
            Kind::Literal(value) => Sorts::of_value(value),
            Kind::Reference(name) => (self.types)(name).map_or(Sorts::ALL, Sorts::of),
            Kind::List(elements) => {
                for element in elements {
                    self.at(element);
                }
                Sorts::LIST
            }
            Kind::Map(entries) => {
                for (_, value) in entries {
                    self.at(value);
                }
                Sorts::MAP
            }
            Kind::Call(function, arguments) => self.call(*function, arguments),
            Kind::Negative(operand) => self.wants(operand, "-", "numbers", Sorts::NUMBER),
            Kind::Opposite(operand) => self.wants(operand, "!", "booleans", Sorts::BOOLEAN),
            Kind::Not(operand) => self.negated(operand),
            Kind::Range(first, last) => self.range(first, last),
            Kind::Chain(first, rest) => self.chain(first, rest),
            Kind::Conditional(arms, otherwise) => {
                let mut sorts = self.at(otherwise);
                for (condition, then) in arms {
                    self.wants(condition, "?", "booleans", Sorts::BOOLEAN);
                    sorts = sorts.or(self.at(then));
                }
                sorts
            }
        }
    }

    /// Looks at an operand that is to be of some sorts, each of its branches for itself; hands back of which it may be.
    fn wants(&mut self, operand: &'e Node, sign: &'static str, wanted: &'static str, taken: Sorts) -> Sorts {
        if let Kind::Conditional(arms, otherwise) = &operand.kind {
            let mut sorts = self.wants(otherwise, sign, wanted, taken);
            for (condition, then) in arms {
                self.wants(condition, "?", "booleans", Sorts::BOOLEAN);
                sorts = sorts.or(self.wants(then, sign, wanted, taken));
            }
            return sorts;
        }
        let found = self.at(operand);
        if !found.meets(taken) {
            self.note(Misfit::Operand { operand, found, sign, wanted });
            // What is said once is not said again of what it stands in.
            return taken;
        }
        found.and(taken)
    }

    /// Notes operands of which none can be of the kind of the other.
    fn pair(&mut self, sign: &'static str, operands: [(&'e Node, Sorts); 2], are_alike: impl Fn(Sorts, Sorts) -> bool) {
        let [(_, left), (_, right)] = operands;
        if !are_alike(left, right) {
            self.note(Misfit::Pair { sign, operands });
        }
    }

    fn negated(&mut self, operand: &'e Node) -> Sorts {
        let values = Sorts(Sorts::ALL.0 & !Sorts::MAP.0);
        let found = self.wants(operand, "not", "values and lists of them", values);
        let same = found.and(Sorts::BOOLEAN.or(Sorts::LIST));
        let others = Sorts(found.0 & !same.0);
        // Twice is none: then it may be anything.
        let others = match (others.meets(Sorts::NOT), others == Sorts(0)) {
            (true, _) => Sorts::ALL,
            (false, true) => others,
            (false, false) => Sorts::NOT,
        };
        same.or(others)
    }

    fn range(&mut self, first: &'e Node, last: &'e Node) -> Sorts {
        let taken = Sorts::NUMBER.or(Sorts::ADDRESS);
        let ends = [first, last].map(|end| (end, self.wants(end, "..", "numbers or addresses", taken)));
        if let (Kind::Literal(first), Kind::Literal(last)) = (&first.kind, &last.kind)
            && let Err(mistake) = Operator::To.apply(first, last)
        {
            self.note(Misfit::Wrong(mistake));
        }
        self.pair("..", ends, Sorts::meets);
        Sorts::RANGE
    }

    fn call(&mut self, function: Function, arguments: &'e [Node]) -> Sorts {
        let sign = function.as_str();
        let held = Sorts::LIST.or(Sorts::TEXT).or(Sorts::MAP);
        let (wanted, taken, result) = match function {
            Function::Min | Function::Max => {
                match arguments {
                    [only] => self.numbers(only, sign),
                    several => several.iter().for_each(|number| {
                        self.wants(number, sign, "numbers", Sorts::NUMBER);
                    }),
                }
                return Sorts::NUMBER;
            }
            Function::Round | Function::Floor | Function::Ceil => ("a number", Sorts::NUMBER, Sorts::NUMBER),
            Function::Len => ("a list, a text or a map", held, Sorts::NUMBER),
            Function::Contains => (
                "a list, a range, a network, a text or a map first",
                held.or(Sorts::RANGE).or(Sorts::NETWORK),
                Sorts::BOOLEAN,
            ),
            Function::Host => ("a network first", Sorts::NETWORK, Sorts::ADDRESS),
            Function::Prefix => ("a network", Sorts::NETWORK, Sorts::NUMBER),
            Function::Mask => ("a network", Sorts::NETWORK, Sorts::ADDRESS),
        };
        for (place, argument) in arguments.iter().enumerate() {
            match function {
                Function::Contains if place > 0 => self.at(argument),
                Function::Host if place > 0 => self.wants(argument, sign, "an integer second", Sorts::NUMBER),
                _ => self.wants(argument, sign, wanted, taken),
            };
        }
        result
    }

    /// Numbers, or one list of them: each of its elements.
    fn numbers(&mut self, node: &'e Node, sign: &'static str) {
        match &node.kind {
            Kind::List(elements) => elements.iter().for_each(|element| {
                self.wants(element, sign, "numbers", Sorts::NUMBER);
            }),
            Kind::Conditional(arms, otherwise) => {
                for (condition, then) in arms {
                    self.wants(condition, "?", "booleans", Sorts::BOOLEAN);
                    self.numbers(then, sign);
                }
                self.numbers(otherwise, sign);
            }
            _ => {
                self.wants(node, sign, "numbers or one list of them", Sorts::NUMBER.or(Sorts::LIST));
            }
        }
    }

    fn chain(&mut self, first: &'e Node, rest: &'e [(Operator, Node)]) -> Sorts {
        let ordered = Sorts::NUMBER.or(Sorts::TEXT).or(Sorts::ADDRESS);
        // Behind the first, what stands left is what came of those before.
        let (mut left, mut result) = (Some(first), Sorts::ALL);
        for (operator, right) in rest {
            let sign = operator.sign();
            let is_order =
                !matches!(operator, Operator::Equal | Operator::NotEqual | Operator::In) && operator.level() == 3;
            let (wanted, taken, gives) = match operator {
                Operator::Or | Operator::And => ("booleans", Sorts::BOOLEAN, Sorts::BOOLEAN),
                Operator::Equal | Operator::NotEqual => ("values", Sorts::ALL, Sorts::BOOLEAN),
                Operator::In => ("values", Sorts::ALL, Sorts::BOOLEAN),
                _ if is_order => ("numbers, texts or addresses", ordered, Sorts::BOOLEAN),
                _ => ("numbers", Sorts::NUMBER, Sorts::NUMBER),
            };
            let before = match left.take() {
                Some(left) => (left, self.wants(left, sign, wanted, taken)),
                None => (first, result),
            };
            if *operator == Operator::In {
                let held = Sorts::RANGE.or(Sorts::LIST).or(Sorts::NETWORK);
                self.wants(right, sign, "a range, a list or a network at its right", held);
            } else {
                let operands = [before, (right, self.wants(right, sign, wanted, taken))];
                match operator {
                    // A protocol is a name, or its number.
                    Operator::Equal | Operator::NotEqual => self.pair(sign, operands, |one, other| {
                        let names = Sorts::NUMBER.or(Sorts::TEXT);
                        one.meets(other) || (one.meets(names) && other.meets(names))
                    }),
                    _ if is_order => self.pair(sign, operands, Sorts::meets),
                    _ => {}
                }
            }
            result = gives;
        }
        result
    }

    /// Holds what a value is given by each branch and element to what its parameter takes. Parameters that are handed on are
    /// held by their types elsewhere.
    fn given(&mut self, part: &'e Node, types: &Types, taken: Sorts) {
        match &part.kind {
            Kind::Conditional(arms, otherwise) => {
                arms.iter().for_each(|(_, then)| self.given(then, types, taken));
                self.given(otherwise, types, taken);
            }
            Kind::List(elements) if taken.meets(Sorts::LIST) => {
                elements.iter().for_each(|element| self.given(element, types, taken));
            }
            Kind::Range(first, last) if taken.meets(Sorts::RANGE) => {
                [first, last].into_iter().for_each(|end| self.given(end, types, taken));
            }
            Kind::Not(inner) if taken.meets(Sorts::NOT) => self.given(inner, types, taken),
            Kind::Literal(value) => {
                if let Err(mistake) = types.admit(value.clone()) {
                    self.note(Misfit::Wrong(mistake));
                }
            }
            Kind::Reference(_) => {}
            _ => self.meets(part, taken),
        }
    }

    /// Holds what a constraint admits by each branch and element to what its parameter takes.
    fn chosen(&mut self, part: &'e Node, taken: Sorts) {
        match &part.kind {
            Kind::Conditional(arms, otherwise) => {
                arms.iter().for_each(|(_, then)| self.chosen(then, taken));
                self.chosen(otherwise, taken);
            }
            Kind::List(elements) => elements.iter().for_each(|element| self.chosen(element, taken)),
            Kind::Range(first, last) => [first, last].into_iter().for_each(|end| self.chosen(end, taken)),
            Kind::Reference(_) => {}
            _ => self.meets(part, taken),
        }
    }

    fn meets(&mut self, part: &'e Node, taken: Sorts) {
        let mut look = Look { types: self.types, found: None };
        let found = look.at(part);
        if !found.meets(taken) {
            self.note(Misfit::Given { part, found });
        }
    }
}
