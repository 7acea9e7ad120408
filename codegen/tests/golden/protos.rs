// Generated from a proto file at build time. Do not edit.

/// The package `coral`.
pub mod coral {
    /// The package `discovery`.
    pub mod discovery {
        /// The package `v1`.
        #[allow(
            missing_docs,
            clippy::all,
            clippy::pedantic,
            clippy::use_self,
            reason = "prost and pbjson write for machines: undocumented helpers, wide enums"
        )]
        pub mod v1 {
            include!("coral.discovery.v1.rs");
            include!("coral.discovery.v1.json.rs");
            include!("coral.discovery.v1.connect.rs");
        }
    }
}
