//! JSON values as AWS's XML: what an object, a list and a flattened list look like.

use quick_xml::events::Event;
use serde_json::Value;

/// Writes `value` inside `<name>`.
///
/// A list becomes `<name><item>…</item></name>` with the protocol's item name; a key that begins with `*` is a flattened
/// list, repeated without the surrounding element. Nulls are left out, as AWS does.
pub(crate) fn write(out: &mut String, name: &str, value: &Value, item: &str) {
    match value {
        Value::Null => {}
        Value::Array(elements) => {
            if let Some(flat) = name.strip_prefix('*') {
                elements.iter().for_each(|element| write(out, flat, element, item));
            } else {
                open(out, name);
                elements.iter().for_each(|element| write(out, item, element, item));
                close(out, name);
            }
        }
        Value::Object(members) => {
            open(out, name);
            members.iter().for_each(|(key, inner)| write(out, key, inner, item));
            close(out, name);
        }
        Value::String(text) => leaf(out, name, text),
        Value::Bool(flag) => leaf(out, name, if *flag { "true" } else { "false" }),
        Value::Number(number) => leaf(out, name, &number.to_string()),
    }
}

fn leaf(out: &mut String, name: &str, text: &str) {
    open(out, name);
    escape(out, text);
    close(out, name);
}

fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Text from a request may come back in an answer, so it is always escaped.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            plain => out.push(plain),
        }
    }
}

/// The leaves of a small XML body, by the name of their innermost element.
///
/// Enough for the flat bodies of s3control; `None` for something that is not well-formed.
pub(crate) fn leaves(body: &str) -> Option<Vec<(String, String)>> {
    let mut reader = quick_xml::Reader::from_str(body);
    let mut found = Vec::new();
    let mut inside: Option<String> = None;
    loop {
        let event = reader.read_event().ok()?;
        if let Event::Start(start) = &event {
            inside = Some(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
        } else if let (Event::Text(text), Some(name)) = (&event, &inside) {
            found.push((name.clone(), text.decode().ok()?.trim().to_owned()));
        } else if let Event::End(_) = &event {
            inside = None;
        } else if let Event::Eof = &event {
            return Some(found);
        }
    }
}
