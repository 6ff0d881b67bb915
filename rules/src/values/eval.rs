//! The value of an expression.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expression::{Expression, Kind, Node};
use super::mistake::{Mistake, Span};
use super::name::Name;
use super::operators::{self, Operator};
use super::value::Value;

/// What evaluation may still cost: one step for every part of an expression and every value that is
/// looked up, made or compared. One fuel may serve many expressions.
#[derive(Debug, Clone)]
pub struct Fuel {
    steps: u64,
}

impl Fuel {
    /// Fuel for so many steps.
    pub const fn new(steps: u64) -> Self {
        Self { steps }
    }

    /// The steps that are left.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes so many steps.
    ///
    /// # Errors
    /// Fewer are left; none are left then.
    pub fn spend(&mut self, steps: usize) -> Result<(), Mistake> {
        match self.steps.checked_sub(u64::try_from(steps).unwrap_or(u64::MAX)) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(Mistake::new("the evaluation takes too many steps").with_help("use fewer and shorter lists"))
            }
        }
    }
}

impl Default for Fuel {
    /// Enough for any set of parameters that a person writes: a million steps.
    fn default() -> Self {
        Self::new(1_000_000)
    }
}

/// The value of an expression. `lookup` gives the values of the parameters that it names; it is asked
/// only for those that count, and where it knows none that is a mistake.
///
/// # Errors
/// The first mistake, with the columns of the text that the expression was read from.
pub fn evaluate(
    expression: &Expression,
    lookup: &mut dyn FnMut(&Name) -> Option<Value>,
    fuel: &mut Fuel,
) -> Result<Value, Mistake> {
    Evaluation { lookup, fuel }.value(expression.root())
}

struct Evaluation<'a> {
    lookup: &'a mut dyn FnMut(&Name) -> Option<Value>,
    fuel: &'a mut Fuel,
}

impl Evaluation<'_> {
    fn value(&mut self, node: &Node) -> Result<Value, Mistake> {
        self.fuel.spend(1).map_err(|mistake| mistake.at(node.span))?;
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Reference(name) => self.parameter(name, node.span),
            Kind::List(elements) => self.list(elements, node.span),
            Kind::Map(entries) => {
                let value = |(key, node): &(Arc<str>, Node)| Ok((Arc::clone(key), self.value(node)?));
                let entries = entries.iter().map(value).collect::<Result<BTreeMap<_, _>, Mistake>>()?;
                self.bounded(Value::Map(entries.into()), node.span)
            }
            Kind::Call(function, arguments) => {
                let arguments: Vec<Value> = self.values(arguments)?;
                self.weigh(&arguments, node.span)?;
                function.apply(&arguments).map_err(|mistake| mistake.at(node.span))
            }
            Kind::Negative(operand) => {
                operators::negative(&self.value(operand)?).map_err(|mistake| mistake.at(node.span))
            }
            Kind::Opposite(operand) => {
                let flag = operators::boolean("!", &self.value(operand)?)
                    .map_err(|mistake| mistake.with_help("`not` negates what is matched").at(node.span))?;
                Ok(Value::Boolean(!flag))
            }
            Kind::Not(operand) => {
                let operand = self.value(operand)?;
                self.weigh(std::slice::from_ref(&operand), node.span)?;
                let value = operators::negation(operand).map_err(|mistake| mistake.at(node.span))?;
                self.bounded(value, node.span)
            }
            Kind::Range(first, last) => {
                let (first, last) = (self.value(first)?, self.value(last)?);
                Operator::To.apply(&first, &last).map_err(|mistake| mistake.at(node.span))
            }
            Kind::Chain(first, rest) => self.chain(first, rest),
            Kind::Conditional(arms, otherwise) => self.conditional(arms, otherwise),
        }
    }

    fn values(&mut self, nodes: &[Node]) -> Result<Vec<Value>, Mistake> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn parameter(&mut self, name: &Name, span: Span) -> Result<Value, Mistake> {
        match (self.lookup)(name) {
            Some(value) => self.bounded(value, span),
            None => Err(Mistake::new(format!("`{name}` has no value")).at(span)),
        }
    }

    fn list(&mut self, elements: &[Node], span: Span) -> Result<Value, Mistake> {
        let elements = self.values(elements)?;
        self.bounded(Value::List(elements.into()), span)
    }

    /// A value that is no larger than values may be.
    fn bounded(&mut self, value: Value, span: Span) -> Result<Value, Mistake> {
        self.weigh(std::slice::from_ref(&value), span)?;
        Ok(value)
    }

    /// Spends a step for every value within values.
    fn weigh(&mut self, values: &[Value], span: Span) -> Result<(), Mistake> {
        for value in values {
            // Only these hold others; all else is one step, which its node has spent.
            if matches!(value, Value::List(_) | Value::Map(_) | Value::Not(_) | Value::Text(_)) {
                let weight = value.weight().map_err(|mistake| mistake.at(span))?;
                self.fuel.spend(weight).map_err(|mistake| mistake.at(span))?;
            }
        }
        Ok(())
    }

    fn chain(&mut self, first: &Node, rest: &[(Operator, Node)]) -> Result<Value, Mistake> {
        let mut span = first.span;
        let mut value = self.value(first)?;
        for (operator, operand) in rest {
            if matches!(operator, Operator::Or | Operator::And) {
                let left = operator.boolean(&value).map_err(|mistake| mistake.at(span))?;
                // All operators of the chain are this one, so that what decides decides all.
                if left == (*operator == Operator::Or) {
                    return Ok(value);
                }
                value = self.value(operand)?;
                operator.boolean(&value).map_err(|mistake| mistake.at(operand.span))?;
            } else {
                let right = self.value(operand)?;
                self.weigh(std::slice::from_ref(&value), span)?;
                self.weigh(std::slice::from_ref(&right), operand.span)?;
                value = operator.apply(&value, &right).map_err(|mistake| mistake.at(span.to(operand.span)))?;
            }
            span = span.to(operand.span);
        }
        Ok(value)
    }

    fn conditional(&mut self, arms: &[(Node, Node)], otherwise: &Node) -> Result<Value, Mistake> {
        for (condition, then) in arms {
            let value = self.value(condition)?;
            if operators::boolean("?", &value).map_err(|mistake| mistake.at(condition.span))? {
                return self.value(then);
            }
        }
        self.value(otherwise)
    }
}
