//! Mends pbjson's code: what reads values more narrowly than ProtoJSON demands gives way to what
//! the crate `connect` has for it.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprMethodCall, Ident, Path, parse_quote};

use crate::Error;

/// Mends one package's code.
pub(crate) fn mend(source: &str) -> Result<String, Error> {
    let mut file = syn::parse_file(source).map_err(|error| Error::new(error.to_string()))?;
    Mender.visit_file_mut(&mut file);
    Ok(prettyplease::unparse(&file))
}

struct Mender;

impl VisitMut for Mender {
    /// A keyword since Rust 2024, which pbjson does not know yet.
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "gen" {
            *ident = Ident::new_raw("gen", ident.span());
        }
    }

    /// pbjson's numbers do not know `1.0`, and their errors tell of its insides. It does not
    /// expect a message `Vec` or an enum's value `SELF`, either.
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let is_alone = path.segments.len() == 1;
        if let Some(last) = path.segments.last_mut() {
            let arguments = &last.arguments;
            if is_alone && last.ident == "Vec" && !arguments.is_none() {
                *path = parse_quote!(::std::vec::Vec #arguments);
            } else if !is_alone && last.ident == "Self" {
                // As prost calls it.
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
        }
    }

    /// A field's value may be `null`.
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let Expr::MethodCall(ExprMethodCall {
            receiver,
            method,
            turbofish,
            ..
        }) = expr
        else {
            return;
        };
        if method == "next_value" {
            let value = turbofish.as_ref().and_then(|types| types.args.first());
            *expr = match value {
                Some(value) => {
                    parse_quote!(::connect::json::next_value::<#value, _>(&mut #receiver))
                }
                None => parse_quote!(::connect::json::next_value(&mut #receiver)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_our_own_types() {
        let mended = mend(
            "fn f() {
                a = map_.next_value::<Option<::pbjson::private::NumberDeserialize<_>>>()?;
                b = map_.next_value::<Vec<::pbjson::private::BytesDeserialize<_>>>()?;
                c = map_.next_value()?;
                d = self.gen;
            }",
        );
        let expected = parse_quote! {
            fn f() {
                a = ::connect::json::next_value::<Option<::connect::json::Number<_>>, _>(&mut map_)?;
                b = ::connect::json::next_value::<::std::vec::Vec<::connect::json::Bytes<_>>, _>(&mut map_)?;
                c = ::connect::json::next_value(&mut map_)?;
                d = self.r#gen;
            }
        };
        assert_eq!(mended.unwrap(), prettyplease::unparse(&expected));
    }
}
