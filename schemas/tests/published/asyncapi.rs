//! The AsyncAPI 3.0 document: subjects, headers, payloads, and who may do what.

use serde_json::{Map, Value, json};

use crate::catalog::{Channel, Form, Message};

/// The document.
pub(crate) fn document(channels: &[Channel]) -> Value {
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:linesman:asyncapi",
        "info": {
            "title": "Linesman",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0"},
            "description": "What Linesman reads from and writes to NATS. Everything under `out.` but marks and overrides is \
                CloudEvents 1.0 in JSON: one event, or a batch of events of one subject that were committed together. \
                Publishers set no `Nats-Msg-Id`. The server stores `in.<organization>.<kind>.<source>` as \
                `p.<lane>.<organization>.<kind>`.",
        },
        "defaultContentType": "application/json",
        "servers": {"nats": server()},
        "channels": channels.iter().map(|channel| (channel.name.clone(), described(channel))).collect::<Map<_, _>>(),
        "operations": channels.iter().flat_map(operations).collect::<Map<_, _>>(),
        "components": {
            "messages": messages(channels),
            "securitySchemes": {
                "public": {
                    "type": "userPassword",
                    "description": "The login of publishers and subscribers: publishes `in.*.jmb.*` and `in.*.intel.*`, \
                        reads `out.>`.",
                },
                "engine": {"type": "userPassword", "description": "The engine's own login."},
            },
        },
    })
}

fn server() -> Value {
    json!({
        "host": "{address}",
        "protocol": "nats",
        "description": "The server that the engine runs itself, or one of 2.12 or later that it is given.",
        "variables": {"address": {
            "description": "Host and port; `ready.json` in the data directory tells those of the engine's own server.",
            "default": "127.0.0.1:4222",
        }},
        "security": [security("public"), security("engine")],
    })
}

fn security(login: &str) -> Value {
    json!({"$ref": format!("#/components/securitySchemes/{login}")})
}

/// Parameters that stand in addresses: name, description, example.
const PARAMETERS: [(&str, &str, &str); 8] = [
    ("organization", "An organization: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.", "acme"),
    ("source", "Who publishes: one token, free to choose.", "edge-01"),
    ("lane", "A lane, from 0.", "0"),
    ("verb", "What the command asks for.", ""),
    ("connector", "The connector that reports.", ""),
    ("name", "The name the policy publishes under: any but that of a connector.", "ticket"),
    ("operation", "The verb of the command.", ""),
    ("reason", "Why it was set aside.", ""),
];

fn parameters(channel: &Channel) -> Map<String, Value> {
    let named = PARAMETERS.iter().filter(|(name, ..)| channel.address.contains(&format!("{{{name}}}")));
    let described = named.map(|(name, description, example)| {
        let mut parameter = json!({"description": description});
        match channel.values.iter().find(|(valued, _)| valued == name) {
            Some((_, values)) => parameter["enum"] = json!(values),
            None => parameter["examples"] = json!([example]),
        }
        ((*name).to_owned(), parameter)
    });
    described.collect()
}

fn described(channel: &Channel) -> Value {
    let messages = channel
        .messages
        .iter()
        .map(|message| (message.name.clone(), json!({"$ref": format!("#/components/messages/{}", message.name)})));
    let mut described = json!({
        "address": channel.address,
        "summary": channel.summary,
        "messages": messages.collect::<Map<_, _>>(),
    });
    let parameters = parameters(channel);
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    described
}

/// What the engine does with a channel. What its own parts say to its lanes it both sends and receives.
fn operations(channel: &Channel) -> Vec<(String, Value)> {
    let form = channel.messages[0].form;
    let operation = |action: &str, login: &str| {
        let value = json!({
            "action": action,
            "channel": {"$ref": format!("#/channels/{}", channel.name)},
            "summary": channel.summary,
            "security": [security(login)],
        });
        (format!("{action}.{}", channel.name), value)
    };
    match form {
        Form::Bundle | Form::Public => vec![operation("receive", "public")],
        Form::Asked | Form::Own => vec![operation("receive", "engine"), operation("send", "engine")],
        Form::Events | Form::Override | Form::Mark => vec![operation("send", "engine")],
    }
}

fn messages(channels: &[Channel]) -> Map<String, Value> {
    channels
        .iter()
        .flat_map(|channel| &channel.messages)
        .map(|message| (message.name.clone(), shown(message)))
        .collect()
}

fn shown(message: &Message) -> Value {
    let mut shown = json!({
        "name": message.name,
        "title": message.title,
        "summary": message.summary,
        "contentType": match message.form {
            Form::Bundle => "application/xml",
            Form::Public | Form::Asked | Form::Own | Form::Override | Form::Mark => "application/json",
            Form::Events => "application/cloudevents+json",
        },
        "payload": match message.form {
            Form::Bundle => json!({"type": "string", "description": "XML, valid by `schemas/jmb.xsd` and more."}),
            _ => json!({
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": format!("./json/{}.schema.json", message.name)},
            }),
        },
    });
    if let Some(headers) = headers(message.form) {
        shown["headers"] = headers;
    }
    shown
}

/// The headers that the engine writes, and those that consumers of the stream therefore see.
fn headers(form: Form) -> Option<Value> {
    let text = |description: &str| json!({"type": "string", "description": description});
    let batch = [
        ("Nats-Batch-Id", text("The atomic batch that brought it.")),
        ("Nats-Batch-Sequence", text("Its place in the batch, from 1.")),
    ];
    let mut properties: Map<String, Value> = batch.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let required = match form {
        Form::Bundle | Form::Public | Form::Asked | Form::Own => return None,
        Form::Events => {
            properties.insert(
                "Content-Type".to_owned(),
                json!({
                    "description": "Whether it is one event or a batch.",
                    "enum": [linesman_schemas::event::SINGLE, linesman_schemas::event::BATCH],
                }),
            );
            vec!["Content-Type", "Nats-Batch-Id", "Nats-Batch-Sequence"]
        }
        Form::Override => {
            let name = "Nats-TTL".to_owned();
            properties.insert(name, json!({"const": "never", "description": "It outlives the age of OUT."}));
            // What is written again since OUT has lost it comes in no batch.
            vec!["Nats-TTL"]
        }
        Form::Mark => {
            for (name, value) in [
                ("Nats-Batch-Commit", json!({"const": "1", "description": "The mark ends its batch."})),
                ("Nats-Expected-Last-Subject-Sequence", text("Sequence of the mark before it.")),
                ("Nats-TTL", json!({"const": "never", "description": "It outlives the age of OUT."})),
                ("Nats-Rollup", json!({"const": "sub", "description": "It replaces the mark before it."})),
            ] {
                properties.insert(name.to_owned(), value);
            }
            vec!["Nats-Expected-Last-Subject-Sequence", "Nats-Rollup", "Nats-TTL"]
        }
    };
    Some(json!({"type": "object", "properties": properties, "required": required}))
}
