//! What an expression can come to, and what its functions and operators ask of the parameters that it names, by their
//! types alone: so that what can never fit is told where it is written, whether those have values or not.

use super::expression::{Expression, Kind, Node};
use super::functions::Function;
use super::kind::Type;
use super::name::Name;
use super::operators::Operator;
use super::types::Types;
use super::value::{Range, Value};

/// Some of the sorts of values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sorts(pub(super) u16);

/// A parameter stands where nothing of its types is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash<'e> {
    /// Which.
    pub(super) name: &'e Name,
    /// The function or operator.
    pub(super) sign: &'static str,
    /// What that takes.
    pub(super) wanted: &'static str,
}

impl Sorts {
    pub(super) const NUMBER: Self = Self(1);
    pub(super) const TEXT: Self = Self(1 << 1);
    pub(super) const ADDRESS: Self = Self(1 << 2);
    pub(super) const NETWORK: Self = Self(1 << 3);
    pub(super) const BOOLEAN: Self = Self(1 << 4);
    pub(super) const RANGE: Self = Self(1 << 5);
    pub(super) const LIST: Self = Self(1 << 6);
    pub(super) const MAP: Self = Self(1 << 7);
    pub(super) const NOT: Self = Self(1 << 8);
    pub(super) const ALL: Self = Self((1 << 9) - 1);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn when(self, is_so: bool) -> Self {
        if is_so { self } else { Self(0) }
    }

    /// Those that are of both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a value may be of both.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn of_type(kind: Type) -> Self {
        let single = match kind {
            Type::Network => Self::NETWORK,
            Type::Address | Type::AddressMask => Self::ADDRESS,
            Type::Interface | Type::String => Self::TEXT,
            Type::Protocol => Self::NUMBER.or(Self::TEXT),
            Type::Boolean => Self::BOOLEAN,
            Type::Any => return Self::ALL,
            _ => Self::NUMBER,
        };
        let several = Self::LIST.when(kind.takes_list()).or(Self::RANGE.when(kind.takes_range()));
        single.or(several).or(Self::NOT.when(kind.takes_not()))
    }

    /// What a parameter of these types may hold.
    pub(super) fn of(types: &Types) -> Self {
        if types.is_empty() {
            return Self::ALL;
        }
        types.iter().map(Self::of_type).fold(Self(0), Self::or)
    }

    /// Single values that a constraint of a parameter of these types is made of: networks hold addresses, and ranges of
    /// addresses hold networks.
    pub(super) fn narrowing(types: &Types) -> Self {
        let of_addresses = Self::ADDRESS.or(Self::NETWORK);
        let single = Self(Self::of(types).0 & !Self::RANGE.or(Self::LIST).or(Self::NOT).0);
        if Self::of(types) == Self::ALL {
            Self::ALL
        } else if single.meets(of_addresses) {
            single.or(of_addresses)
        } else {
            single
        }
    }

    /// What one choice of a constraint is made of.
    pub(super) const fn of_choice(choice: &Value) -> Self {
        match choice {
            Value::Range(Range::Integers(..) | Range::Floats(..)) => Self::NUMBER,
            Value::Range(Range::Addresses(..)) => Self::ADDRESS,
            single => Self::of_value(single),
        }
    }

    pub(super) const fn of_value(value: &Value) -> Self {
        match value {
            Value::Integer(_) | Value::Float(_) => Self::NUMBER,
            Value::Boolean(_) => Self::BOOLEAN,
            Value::Text(_) => Self::TEXT,
            Value::Address(_) => Self::ADDRESS,
            Value::Network(_) => Self::NETWORK,
            Value::Range(_) => Self::RANGE,
            Value::List(_) => Self::LIST,
            Value::Map(_) => Self::MAP,
            Value::Not(_) => Self::NOT,
        }
    }

    /// What these are called, where they are of one sort.
    pub(super) const fn called(self) -> &'static str {
        match self {
            Self::TEXT => "a text",
            Self::NETWORK => "a network",
            Self::NOT => "a negation",
            other => other.describe(),
        }
    }

    /// What these are called, where they are of one sort that is calculated.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::NUMBER => "a number",
            Self::ADDRESS => "an address",
            Self::BOOLEAN => "a boolean",
            Self::RANGE => "a range",
            Self::LIST => "a list",
            Self::MAP => "a map",
            _ => "something else",
        }
    }
}

/// What an expression can come to, and the first parameter in it that stands where nothing of its types is taken.
/// `types` gives those of a parameter; none for what nobody knows.
pub(super) fn of_expression<'e, 't>(
    expression: &'e Expression,
    types: &dyn Fn(&Name) -> Option<&'t Types>,
) -> (Sorts, Option<Clash<'e>>) {
    let mut look = Look { types, clash: None };
    let sorts = look.at(expression.root());
    (sorts, look.clash)
}

struct Look<'e, 't, 'f> {
    types: &'f dyn Fn(&Name) -> Option<&'t Types>,
    clash: Option<Clash<'e>>,
}

impl<'e> Look<'e, '_, '_> {
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
            Kind::Negative(operand) => self.wants(operand, "-", "numbers", Sorts::NUMBER, Sorts::NUMBER),
            Kind::Opposite(operand) => self.wants(operand, "!", "booleans", Sorts::BOOLEAN, Sorts::BOOLEAN),
            Kind::Not(operand) => {
                self.at(operand);
                Sorts::ALL
            }
            Kind::Range(first, last) => {
                for end in [first, last] {
                    self.wants(end, "..", "numbers or addresses", Sorts::NUMBER.or(Sorts::ADDRESS), Sorts::RANGE);
                }
                Sorts::RANGE
            }
            Kind::Chain(first, rest) => self.chain(first, rest),
            Kind::Conditional(arms, otherwise) => {
                let mut sorts = self.at(otherwise);
                for (condition, then) in arms {
                    self.wants(condition, "?", "booleans", Sorts::BOOLEAN, Sorts::BOOLEAN);
                    sorts = sorts.or(self.at(then));
                }
                sorts
            }
        }
    }

    /// Looks at an operand that is to be of some sorts; hands back what comes of it.
    fn wants(
        &mut self,
        operand: &'e Node,
        sign: &'static str,
        wanted: &'static str,
        taken: Sorts,
        result: Sorts,
    ) -> Sorts {
        let found = self.at(operand);
        if let Kind::Reference(name) = &operand.kind
            && !found.meets(taken)
            && self.clash.is_none()
        {
            self.clash = Some(Clash { name, sign, wanted });
        }
        result
    }

    fn call(&mut self, function: Function, arguments: &'e [Node]) -> Sorts {
        let sign = function.as_str();
        let held = Sorts::LIST.or(Sorts::TEXT).or(Sorts::MAP);
        let (wanted, taken, result) = match function {
            Function::Min | Function::Max if arguments.len() == 1 => {
                ("numbers or one list of them", Sorts::NUMBER.or(Sorts::LIST), Sorts::NUMBER)
            }
            Function::Min | Function::Max => ("numbers", Sorts::NUMBER, Sorts::NUMBER),
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
                Function::Host if place > 0 => self.wants(argument, sign, "an integer second", Sorts::NUMBER, result),
                _ => self.wants(argument, sign, wanted, taken, result),
            };
        }
        result
    }

    fn chain(&mut self, first: &'e Node, rest: &'e [(Operator, Node)]) -> Sorts {
        let mut left = Some(first);
        let mut result = Sorts::ALL;
        for (operator, right) in rest {
            let sign = operator.sign();
            let (wanted, taken, gives) = match operator {
                Operator::Or | Operator::And => ("booleans", Sorts::BOOLEAN, Sorts::BOOLEAN),
                Operator::Equal | Operator::NotEqual => ("", Sorts::ALL, Sorts::BOOLEAN),
                Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                    ("numbers, texts or addresses", Sorts::NUMBER.or(Sorts::TEXT).or(Sorts::ADDRESS), Sorts::BOOLEAN)
                }
                Operator::In => {
                    if let Some(left) = left.take() {
                        self.at(left);
                    }
                    let held = Sorts::RANGE.or(Sorts::LIST).or(Sorts::NETWORK);
                    result = self.wants(right, sign, "a range, a list or a network at its right", held, Sorts::BOOLEAN);
                    continue;
                }
                Operator::To => ("numbers or addresses", Sorts::NUMBER.or(Sorts::ADDRESS), Sorts::RANGE),
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                    ("numbers", Sorts::NUMBER, Sorts::NUMBER)
                }
            };
            // Behind the first, what stands left is what came of those before.
            if let Some(left) = left.take() {
                self.wants(left, sign, wanted, taken, gives);
            }
            result = self.wants(right, sign, wanted, taken, gives);
        }
        result
    }
}
