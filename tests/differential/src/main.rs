//! Converts messages between binary and JSON, as it is told on its input: a comparison with Go's
//! codecs drives it.
//!
//! A request is a letter (`j` for JSON to binary, `b` for the way back), a message's full name and
//! the message; an answer is a letter (`+`, or `-` for a refusal) and the message or why not. Each
//! part but the letters has its size before it, in four bytes, big-endian.

use std::io::{self, BufReader, BufWriter, Read, Write};

use anyhow::{Context as _, Result};
use connect::json::AnyType;
use differential::types;

fn main() -> Result<()> {
    let types = types();
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    while let Some(way) = read_letter(&mut input)? {
        let name = String::from_utf8(read_part(&mut input)?)?;
        let message = read_part(&mut input)?;
        let of = types
            .iter()
            .find(|each| each.name() == name)
            .context(name)?;
        let converted = convert(of, way, &message);
        let (letter, part) = match &converted {
            Ok(converted) => (b'+', converted.as_slice()),
            Err(why) => (b'-', why.as_bytes()),
        };
        output.write_all(&[letter])?;
        output.write_all(&u32::try_from(part.len())?.to_be_bytes())?;
        output.write_all(part)?;
        output.flush()?;
    }
    Ok(())
}

fn convert(of: &AnyType, way: u8, message: &[u8]) -> Result<Vec<u8>, String> {
    let converted = match way {
        b'j' => of.json_to_binary(message),
        _ => of.binary_to_json(message),
    };
    converted.map(Vec::from).map_err(|error| {
        let cause = error.cause().unwrap_or_default();
        format!("{error} {cause}")
    })
}

/// `None` at the end of the input.
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
