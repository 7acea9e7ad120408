//! HTTP: paths, headers and statuses. The router takes a request to the health check, the key set,
//! the admin service or the public service, and writes the access log.

pub mod admin_auth;
pub mod client_info;
pub mod health_check;
pub mod jwks;
pub mod router;

mod access_log;
mod json_page;
#[cfg(test)]
mod tests;
