//! Rewriting of pbjson's code. It reads values more strictly than ProtoJSON demands, so its types
//! and calls are replaced with those of the crate `connect`.

use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprMethodCall, ExprWhile, GenericArgument, Ident, Path, PathArguments, Stmt,
    Type, parse_quote,
};

use crate::error::Error;

/// Rewrites one package's code.
pub(super) fn rewrite(source: &str) -> Result<String, Error> {
    let mut file = syn::parse_file(source).map_err(|error| Error::new(error.to_string()))?;
    JsonRewriter.visit_file_mut(&mut file);
    Ok(prettyplease::unparse(&file))
}

/// Visitor that rewrites the code in place.
struct JsonRewriter;

impl VisitMut for JsonRewriter {
    /// Escapes `gen`, a keyword since Rust 2024 that pbjson does not know yet.
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "gen" {
            *ident = Ident::new_raw("gen", ident.span());
        }
    }

    /// Replaces the types of numbers, which reject `1.0` and whose errors name Rust types, and of
    /// maps, which have no order. Makes room for a message `Vec` and an enum's value `SELF`.
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let is_alone = path.segments.len() == 1;
        if let Some(last) = path.segments.last_mut() {
            let arguments = &last.arguments;
            if is_alone && last.ident == "Vec" && !arguments.is_none() {
                *path = parse_quote!(::std::vec::Vec #arguments);
            } else if !is_alone && last.ident == "HashMap" {
                *path = parse_quote!(::std::collections::BTreeMap #arguments);
                return;
            } else if !is_alone && last.ident == "Self" {
                // prost escapes it like this.
                last.ident = Ident::new("Self_", last.ident.span());
            }
        }
        let is_pbjson = path
            .segments
            .first()
            .is_some_and(|first| first.ident == "pbjson");
        let Some(last) = path.segments.last().filter(|_| is_pbjson) else {
            return;
        };
        let arguments = &last.arguments;
        if last.ident == "NumberDeserialize" {
            *path = parse_quote!(::connect::json::Number #arguments);
        } else if last.ident == "BytesDeserialize" {
            *path = parse_quote!(::connect::json::Bytes #arguments);
        } else if last.ident == "encode" {
            *path = parse_quote!(::connect::json::encode_base64);
        }
    }

    /// Reads a member of a oneof first, and then checks that no other is set: one that is `null`
    /// is not set.
    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        if let [
            Stmt::Expr(Expr::If(reject), _),
            Stmt::Expr(Expr::Assign(assign), _),
        ] = block.stmts.as_slice()
        {
            let (field, value) = (&assign.left, &assign.right);
            *block = parse_quote!({
                if let Some(value) = #value {
                    #reject
                    #field = Some(value);
                }
            });
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::While(each_field) = expr {
            *expr = reject_duplicates(each_field);
            return;
        }
        let Expr::MethodCall(call) = expr else {
            return;
        };
        let rewritten = match call.method.to_string().as_str() {
            "next_value" => Some(read_value(call)),
            "map_err" => write_enum(&call.receiver),
            _ => None,
        };
        if let Some(rewritten) = rewritten {
            *expr = rewritten;
        }
    }
}

/// Returns the call that reads a field's value, which may be `null`, and of an enum may be a number
/// that the proto does not have.
fn read_value(call: &ExprMethodCall) -> Expr {
    let map = &call.receiver;
    let value = call.turbofish.as_ref().and_then(|types| types.args.first());
    let Some(GenericArgument::Type(value)) = value else {
        return parse_quote!(::connect::json::next_value(&mut #map));
    };
    match (container(value).as_deref(), arguments(value).as_slice()) {
        (Some("Option"), [inner]) if is_enum(inner) => {
            parse_quote!(::connect::json::next_optional_enum::<#inner, _>(&mut #map))
        }
        (Some("Vec"), [inner]) if is_enum(inner) => {
            parse_quote!(::connect::json::next_enums::<#inner, _>(&mut #map))
        }
        (Some("BTreeMap"), [key, inner]) => {
            let key = key_type(key);
            if is_enum(inner) {
                parse_quote!(::connect::json::next_enum_map::<#key, #inner, _>(&mut #map))
            } else {
                parse_quote!(::connect::json::next_map::<#key, #inner, _>(&mut #map))
            }
        }
        _ if is_enum(value) => {
            parse_quote!(::connect::json::next_enum::<#value, _>(&mut #map))
        }
        _ => parse_quote!(::connect::json::next_value::<#value, _>(&mut #map)),
    }
}

/// Returns the type that reads a map's key: a number that is a key has one form only.
fn key_type(key: &Type) -> Type {
    match (container(key).as_deref(), arguments(key).as_slice()) {
        (Some("Number"), [inner]) => parse_quote!(::connect::json::Key<#inner>),
        _ => key.clone(),
    }
}

/// Returns the loop over a message's fields, each of which may appear once.
fn reject_duplicates(each_field: &ExprWhile) -> Expr {
    let body = &each_field.body;
    match &*each_field.cond {
        Expr::Let(_) => {
            let next: Expr = parse_quote! {
                ::connect::json::next_field(&mut map_, &mut fields_seen, is_unknown)?
            };
            parse_quote!({
                let mut fields_seen = ::std::vec::Vec::new();
                let is_unknown = |k: &GeneratedField| matches!(k, GeneratedField::__SkipField__);
                while let Some(k) = #next #body
            })
        }
        // pbjson's loop for a message without fields.
        _ => Expr::While(each_field.clone()),
    }
}

/// Returns the call that writes an enum's value. That of pbjson,
/// `Kind::try_from(number).map_err(..)`, fails for a number that the proto does not have.
fn write_enum(receiver: &Expr) -> Option<Expr> {
    let Expr::Call(call) = receiver else {
        return None;
    };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let mut kind = function.path.clone();
    let is_try_from = kind.segments.pop()?.ident == "try_from";
    kind.segments.pop_punct();
    let number = call.args.first()?;
    is_try_from.then(|| parse_quote!(::connect::json::enumeration::<#kind, S::Error>(#number)))
}

/// Returns true for an enum of the proto. pbjson names it by a path from this package's module or
/// in `connect::wkt`, names no message, and names all other types differently.
fn is_enum(value: &Type) -> bool {
    let Type::Path(path) = value else {
        return false;
    };
    let mut segments = path.path.segments.iter().map(|segment| &segment.ident);
    match segments.next() {
        Some(first) if first == "connect" => segments.next().is_some_and(|second| second == "wkt"),
        Some(first) => first == "self" || first == "super",
        None => false,
    }
}

/// Returns the name of a type, without its path.
fn container(value: &Type) -> Option<String> {
    match value {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

fn arguments(value: &Type) -> Vec<&Type> {
    let Type::Path(path) = value else {
        return Vec::new();
    };
    match path.path.segments.last().map(|last| &last.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(inner) => Some(inner),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_types_of_pbjson_are_replaced() {
        let rewritten = rewrite(
            "fn f() {
                a = map_.next_value::<Option<::pbjson::private::NumberDeserialize<_>>>()?;
                b = map_.next_value::<Vec<::pbjson::private::BytesDeserialize<_>>>()?;
                c = map_.next_value()?;
                d = self.gen;
                e = map_.next_value::<self::Kind>()? as i32;
                f = map_.next_value::<Option<super::a::Kind>>()?;
                g = map_.next_value::<std::collections::BTreeMap<
                    pbjson::private::NumberDeserialize<i32>,
                    self::Number,
                >>()?;
                h = a::Kind::try_from(*v).map_err(|_| whatever())?;
                i = pbjson::private::base64::encode(v);
                j = map_.next_value::<Vec<::connect::wkt::NullValue>>()?;
                let k: std::collections::HashMap<_, _> = l;
                { if a__.is_some() { return; } a__ = b; }
            }",
        );
        let expected = parse_quote! {
            fn f() {
                a = ::connect::json::next_value::<
                    Option<::connect::json::Number<_>>, _,
                >(&mut map_)?;
                b = ::connect::json::next_value::<
                    ::std::vec::Vec<::connect::json::Bytes<_>>, _,
                >(&mut map_)?;
                c = ::connect::json::next_value(&mut map_)?;
                d = self.r#gen;
                e = ::connect::json::next_enum::<self::Kind, _>(&mut map_)? as i32;
                f = ::connect::json::next_optional_enum::<super::a::Kind, _>(&mut map_)?;
                g = ::connect::json::next_enum_map::<
                    ::connect::json::Key<i32>, self::Number, _,
                >(&mut map_)?;
                h = ::connect::json::enumeration::<a::Kind, S::Error>(*v)?;
                i = ::connect::json::encode_base64(v);
                j = ::connect::json::next_enums::<::connect::wkt::NullValue, _>(&mut map_)?;
                let k: ::std::collections::BTreeMap<_, _> = l;
                {
                    if let Some(value) = b {
                        if a__.is_some() { return; }
                        a__ = Some(value);
                    }
                }
            }
        };
        assert_eq!(rewritten.unwrap(), prettyplease::unparse(&expected));
    }
}
