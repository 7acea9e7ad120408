//! Converts messages between binary and JSON: requests on its input, responses on its output. The
//! Go program that compares the codecs runs it.
//!
//! A request is a letter (`j` for JSON to binary, `b` for binary to JSON), a message type's full
//! name, and the message. A response is a letter and a part: `+` and the converted message, or `-`
//! and the error. Each part but the letters is prefixed with its size: four bytes, big-endian.

use std::io::{self, BufReader, BufWriter, Read, Write};

use anyhow::{Context as _, Result};
use connect::json::AnyType;
use differential::types;

fn main() -> Result<()> {
    let types = types();
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    while let Some(direction) = read_letter(&mut input)? {
        let name = String::from_utf8(read_part(&mut input)?)?;
        let message = read_part(&mut input)?;
        let message_type = types
            .iter()
            .find(|each| each.name() == name)
            .context(name)?;
        let converted = convert(message_type, direction, &message);
        let (letter, part) = match &converted {
            Ok(converted) => (b'+', converted.as_slice()),
            Err(error) => (b'-', error.as_bytes()),
        };
        output.write_all(&[letter])?;
        output.write_all(&u32::try_from(part.len())?.to_be_bytes())?;
        output.write_all(part)?;
        output.flush()?;
    }
    Ok(())
}

fn convert(message_type: &AnyType, direction: u8, message: &[u8]) -> Result<Vec<u8>, String> {
    let converted = match direction {
        b'j' => message_type.json_to_binary(message),
        _ => message_type.binary_to_json(message),
    };
    converted.map(Vec::from).map_err(|error| {
        let cause = error.cause().unwrap_or_default();
        format!("{error} {cause}")
    })
}

/// Reads the letter of a request; `None` at the end of the input.
fn read_letter(input: &mut impl Read) -> Result<Option<u8>> {
    let mut letter = [0];
    Ok((input.read(&mut letter)? > 0).then_some(letter[0]))
}

fn read_part(input: &mut impl Read) -> Result<Vec<u8>> {
    let mut size = [0; 4];
    input.read_exact(&mut size)?;
    let mut part = vec![0; usize::try_from(u32::from_be_bytes(size))?];
    input.read_exact(&mut part)?;
    Ok(part)
}
