// Generated from a proto file at build time. Do not edit.

/// Where colonies and agents find each other: each registers under its id for a limited time,
/// the lease, and is found by others until it lapses.
#[allow(async_fn_in_trait, reason = "handlers need not be Send")]
pub trait DiscoveryService {
    /// Registers a colony under its mesh id, or renews its lease. A renewal replaces all that was
    /// registered before.
    ///
    /// Fails with already_exists while another public key holds the mesh id.
    async fn register_colony(
        &self,
        cx: &::connect::Context,
        request: RegisterColonyRequest,
    ) -> ::core::result::Result<
        ::connect::Response<RegisterColonyResponse>,
        ::connect::Error,
    >;
    /// Finds a colony by its mesh id.
    ///
    /// Fails with not_found if it is unknown or its lease has lapsed.
    async fn lookup_colony(
        &self,
        cx: &::connect::Context,
        request: LookupColonyRequest,
    ) -> ::core::result::Result<
        ::connect::Response<LookupColonyResponse>,
        ::connect::Error,
    >;
    /// Registers an agent of a mesh, or renews its lease.
    ///
    /// Fails with already_exists while another public key holds the agent id in that mesh.
    async fn register_agent(
        &self,
        cx: &::connect::Context,
        request: RegisterAgentRequest,
    ) -> ::core::result::Result<
        ::connect::Response<RegisterAgentResponse>,
        ::connect::Error,
    >;
    /// Finds an agent by its id.
    ///
    /// Fails with not_found if it is unknown or its lease has lapsed.
    async fn lookup_agent(
        &self,
        cx: &::connect::Context,
        request: LookupAgentRequest,
    ) -> ::core::result::Result<
        ::connect::Response<LookupAgentResponse>,
        ::connect::Error,
    >;
    /// Reserves a relay between an agent and a colony that cannot reach each other.
    ///
    /// Fails with unimplemented where no relay is configured.
    async fn request_relay(
        &self,
        cx: &::connect::Context,
        request: RequestRelayRequest,
    ) -> ::core::result::Result<
        ::connect::Response<RequestRelayResponse>,
        ::connect::Error,
    >;
    /// Gives a relay back before its session ends.
    ///
    /// Fails with not_found for a session that has ended or never was.
    async fn release_relay(
        &self,
        cx: &::connect::Context,
        request: ReleaseRelayRequest,
    ) -> ::core::result::Result<
        ::connect::Response<ReleaseRelayResponse>,
        ::connect::Error,
    >;
    /// Tells that the service is up, and how it fares.
    async fn health(
        &self,
        cx: &::connect::Context,
        request: HealthRequest,
    ) -> ::core::result::Result<::connect::Response<HealthResponse>, ::connect::Error>;
    /// Issues a ticket with which an agent asks a colony for its certificate (RFD 049). The colony checks it by
    /// the keys at /.well-known/jwks.json.
    ///
    /// Fails with failed_precondition where there is no key to sign with, and with permission_denied for any intent but
    /// registering.
    async fn create_bootstrap_token(
        &self,
        cx: &::connect::Context,
        request: CreateBootstrapTokenRequest,
    ) -> ::core::result::Result<
        ::connect::Response<CreateBootstrapTokenResponse>,
        ::connect::Error,
    >;
    /// Leaves a message for the colony of a mesh, encrypted for it, or replaces the one that was left (RFD 108).
    ///
    /// Fails with permission_denied for a message that somebody else has left.
    async fn publish_bootstrap_rendezvous(
        &self,
        cx: &::connect::Context,
        request: PublishBootstrapRendezvousRequest,
    ) -> ::core::result::Result<
        ::connect::Response<PublishBootstrapRendezvousResponse>,
        ::connect::Error,
    >;
    /// Fetches the messages that are left for the colony of a mesh. If there is none it waits for one.
    async fn poll_bootstrap_rendezvous(
        &self,
        cx: &::connect::Context,
        request: PollBootstrapRendezvousRequest,
    ) -> ::core::result::Result<
        ::connect::Response<PollBootstrapRendezvousResponse>,
        ::connect::Error,
    >;
    /// Removes a message that was dealt with. Repeating it changes nothing.
    async fn ack_bootstrap_rendezvous(
        &self,
        cx: &::connect::Context,
        request: AckBootstrapRendezvousRequest,
    ) -> ::core::result::Result<
        ::connect::Response<AckBootstrapRendezvousResponse>,
        ::connect::Error,
    >;
}
/// Name, methods and router of `coral.discovery.v1.DiscoveryService`.
pub mod discovery_service {
    /// The full name of the service.
    pub const NAME: &str = "coral.discovery.v1.DiscoveryService";
    /// All methods, in the order of the proto.
    pub static METHODS: [&::connect::Method; 11usize] = [
        &methods::REGISTER_COLONY,
        &methods::LOOKUP_COLONY,
        &methods::REGISTER_AGENT,
        &methods::LOOKUP_AGENT,
        &methods::REQUEST_RELAY,
        &methods::RELEASE_RELAY,
        &methods::HEALTH,
        &methods::CREATE_BOOTSTRAP_TOKEN,
        &methods::PUBLISH_BOOTSTRAP_RENDEZVOUS,
        &methods::POLL_BOOTSTRAP_RENDEZVOUS,
        &methods::ACK_BOOTSTRAP_RENDEZVOUS,
    ];
    /// The methods one by one, in a module of their own as they may have any name.
    pub mod methods {
        /// `/coral.discovery.v1.DiscoveryService/RegisterColony`
        pub static REGISTER_COLONY: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/RegisterColony",
            service: "coral.discovery.v1.DiscoveryService",
            name: "RegisterColony",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/LookupColony`
        pub static LOOKUP_COLONY: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/LookupColony",
            service: "coral.discovery.v1.DiscoveryService",
            name: "LookupColony",
            idempotency: ::connect::Idempotency::NoSideEffects,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/RegisterAgent`
        pub static REGISTER_AGENT: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/RegisterAgent",
            service: "coral.discovery.v1.DiscoveryService",
            name: "RegisterAgent",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/LookupAgent`
        pub static LOOKUP_AGENT: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/LookupAgent",
            service: "coral.discovery.v1.DiscoveryService",
            name: "LookupAgent",
            idempotency: ::connect::Idempotency::NoSideEffects,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/RequestRelay`
        pub static REQUEST_RELAY: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/RequestRelay",
            service: "coral.discovery.v1.DiscoveryService",
            name: "RequestRelay",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/ReleaseRelay`
        pub static RELEASE_RELAY: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/ReleaseRelay",
            service: "coral.discovery.v1.DiscoveryService",
            name: "ReleaseRelay",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/Health`
        pub static HEALTH: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/Health",
            service: "coral.discovery.v1.DiscoveryService",
            name: "Health",
            idempotency: ::connect::Idempotency::NoSideEffects,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/CreateBootstrapToken`
        pub static CREATE_BOOTSTRAP_TOKEN: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/CreateBootstrapToken",
            service: "coral.discovery.v1.DiscoveryService",
            name: "CreateBootstrapToken",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/PublishBootstrapRendezvous`
        pub static PUBLISH_BOOTSTRAP_RENDEZVOUS: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/PublishBootstrapRendezvous",
            service: "coral.discovery.v1.DiscoveryService",
            name: "PublishBootstrapRendezvous",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/PollBootstrapRendezvous`
        pub static POLL_BOOTSTRAP_RENDEZVOUS: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/PollBootstrapRendezvous",
            service: "coral.discovery.v1.DiscoveryService",
            name: "PollBootstrapRendezvous",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
        /// `/coral.discovery.v1.DiscoveryService/AckBootstrapRendezvous`
        pub static ACK_BOOTSTRAP_RENDEZVOUS: ::connect::Method = ::connect::Method {
            path: "/coral.discovery.v1.DiscoveryService/AckBootstrapRendezvous",
            service: "coral.discovery.v1.DiscoveryService",
            name: "AckBootstrapRendezvous",
            idempotency: ::connect::Idempotency::Unknown,
            deprecated: false,
        };
    }
    /// Answers an HTTP request with the method of `service` that its path names.
    pub async fn route<S, R, B>(
        service: &S,
        server: &::connect::Server<R>,
        request: ::connect::http::Request<B>,
    ) -> ::connect::http::Response<::connect::bytes::Bytes>
    where
        S: super::DiscoveryService,
        R: ::connect::Runtime,
        B: ::connect::Body,
    {
        match request.uri().path() {
            "/coral.discovery.v1.DiscoveryService/RegisterColony" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::register_colony(service, cx, message)
                        .await
                };
                server.unary(&methods::REGISTER_COLONY, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/LookupColony" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::lookup_colony(service, cx, message)
                        .await
                };
                server.unary(&methods::LOOKUP_COLONY, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/RegisterAgent" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::register_agent(service, cx, message)
                        .await
                };
                server.unary(&methods::REGISTER_AGENT, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/LookupAgent" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::lookup_agent(service, cx, message)
                        .await
                };
                server.unary(&methods::LOOKUP_AGENT, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/RequestRelay" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::request_relay(service, cx, message)
                        .await
                };
                server.unary(&methods::REQUEST_RELAY, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/ReleaseRelay" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::release_relay(service, cx, message)
                        .await
                };
                server.unary(&methods::RELEASE_RELAY, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/Health" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::health(service, cx, message).await
                };
                server.unary(&methods::HEALTH, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/CreateBootstrapToken" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::create_bootstrap_token(
                            service,
                            cx,
                            message,
                        )
                        .await
                };
                server.unary(&methods::CREATE_BOOTSTRAP_TOKEN, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/PublishBootstrapRendezvous" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::publish_bootstrap_rendezvous(
                            service,
                            cx,
                            message,
                        )
                        .await
                };
                server
                    .unary(&methods::PUBLISH_BOOTSTRAP_RENDEZVOUS, request, handler)
                    .await
            }
            "/coral.discovery.v1.DiscoveryService/PollBootstrapRendezvous" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::poll_bootstrap_rendezvous(
                            service,
                            cx,
                            message,
                        )
                        .await
                };
                server.unary(&methods::POLL_BOOTSTRAP_RENDEZVOUS, request, handler).await
            }
            "/coral.discovery.v1.DiscoveryService/AckBootstrapRendezvous" => {
                let handler = async |cx: &_, message| {
                    <S as super::DiscoveryService>::ack_bootstrap_rendezvous(
                            service,
                            cx,
                            message,
                        )
                        .await
                };
                server.unary(&methods::ACK_BOOTSTRAP_RENDEZVOUS, request, handler).await
            }
            _ => server.unknown_path(request).await,
        }
    }
}
/// Calls `coral.discovery.v1.DiscoveryService` over a transport.
#[derive(Clone, Debug)]
pub struct DiscoveryServiceClient<T>(pub ::connect::Client<T>);
impl<T: ::connect::Transport> DiscoveryServiceClient<T> {
    /// Registers a colony under its mesh id, or renews its lease. A renewal replaces all that was
    /// registered before.
    ///
    /// Fails with already_exists while another public key holds the mesh id.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn register_colony(
        &self,
        request: &RegisterColonyRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<RegisterColonyResponse>,
        ::connect::Error,
    > {
        self.0
            .unary(&discovery_service::methods::REGISTER_COLONY, request, options)
            .await
    }
    /// Finds a colony by its mesh id.
    ///
    /// Fails with not_found if it is unknown or its lease has lapsed.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn lookup_colony(
        &self,
        request: &LookupColonyRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<LookupColonyResponse>,
        ::connect::Error,
    > {
        self.0.unary(&discovery_service::methods::LOOKUP_COLONY, request, options).await
    }
    /// Registers an agent of a mesh, or renews its lease.
    ///
    /// Fails with already_exists while another public key holds the agent id in that mesh.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn register_agent(
        &self,
        request: &RegisterAgentRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<RegisterAgentResponse>,
        ::connect::Error,
    > {
        self.0.unary(&discovery_service::methods::REGISTER_AGENT, request, options).await
    }
    /// Finds an agent by its id.
    ///
    /// Fails with not_found if it is unknown or its lease has lapsed.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn lookup_agent(
        &self,
        request: &LookupAgentRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<LookupAgentResponse>,
        ::connect::Error,
    > {
        self.0.unary(&discovery_service::methods::LOOKUP_AGENT, request, options).await
    }
    /// Reserves a relay between an agent and a colony that cannot reach each other.
    ///
    /// Fails with unimplemented where no relay is configured.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn request_relay(
        &self,
        request: &RequestRelayRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<RequestRelayResponse>,
        ::connect::Error,
    > {
        self.0.unary(&discovery_service::methods::REQUEST_RELAY, request, options).await
    }
    /// Gives a relay back before its session ends.
    ///
    /// Fails with not_found for a session that has ended or never was.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn release_relay(
        &self,
        request: &ReleaseRelayRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<ReleaseRelayResponse>,
        ::connect::Error,
    > {
        self.0.unary(&discovery_service::methods::RELEASE_RELAY, request, options).await
    }
    /// Tells that the service is up, and how it fares.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn health(
        &self,
        request: &HealthRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<::connect::Response<HealthResponse>, ::connect::Error> {
        self.0.unary(&discovery_service::methods::HEALTH, request, options).await
    }
    /// Issues a ticket with which an agent asks a colony for its certificate (RFD 049). The colony checks it by
    /// the keys at /.well-known/jwks.json.
    ///
    /// Fails with failed_precondition where there is no key to sign with, and with permission_denied for any intent but
    /// registering.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn create_bootstrap_token(
        &self,
        request: &CreateBootstrapTokenRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<CreateBootstrapTokenResponse>,
        ::connect::Error,
    > {
        self.0
            .unary(&discovery_service::methods::CREATE_BOOTSTRAP_TOKEN, request, options)
            .await
    }
    /// Leaves a message for the colony of a mesh, encrypted for it, or replaces the one that was left (RFD 108).
    ///
    /// Fails with permission_denied for a message that somebody else has left.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn publish_bootstrap_rendezvous(
        &self,
        request: &PublishBootstrapRendezvousRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<PublishBootstrapRendezvousResponse>,
        ::connect::Error,
    > {
        self.0
            .unary(
                &discovery_service::methods::PUBLISH_BOOTSTRAP_RENDEZVOUS,
                request,
                options,
            )
            .await
    }
    /// Fetches the messages that are left for the colony of a mesh. If there is none it waits for one.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn poll_bootstrap_rendezvous(
        &self,
        request: &PollBootstrapRendezvousRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<PollBootstrapRendezvousResponse>,
        ::connect::Error,
    > {
        self.0
            .unary(
                &discovery_service::methods::POLL_BOOTSTRAP_RENDEZVOUS,
                request,
                options,
            )
            .await
    }
    /// Removes a message that was dealt with. Repeating it changes nothing.
    ///
    /// # Errors
    /// The service's error, or why there was no answer.
    pub async fn ack_bootstrap_rendezvous(
        &self,
        request: &AckBootstrapRendezvousRequest,
        options: ::connect::CallOptions,
    ) -> ::core::result::Result<
        ::connect::Response<AckBootstrapRendezvousResponse>,
        ::connect::Error,
    > {
        self.0
            .unary(
                &discovery_service::methods::ACK_BOOTSTRAP_RENDEZVOUS,
                request,
                options,
            )
            .await
    }
}
/// The messages of the package, to be registered if they may stand in a
/// `google.protobuf.Any` in JSON.
pub static TYPES: [::connect::json::AnyType; 27usize] = [
    ::connect::json::AnyType::new::<
        RegisterColonyRequest,
    >("coral.discovery.v1.RegisterColonyRequest"),
    ::connect::json::AnyType::new::<
        RegisterColonyResponse,
    >("coral.discovery.v1.RegisterColonyResponse"),
    ::connect::json::AnyType::new::<
        LookupColonyRequest,
    >("coral.discovery.v1.LookupColonyRequest"),
    ::connect::json::AnyType::new::<
        LookupColonyResponse,
    >("coral.discovery.v1.LookupColonyResponse"),
    ::connect::json::AnyType::new::<
        RegisterAgentRequest,
    >("coral.discovery.v1.RegisterAgentRequest"),
    ::connect::json::AnyType::new::<
        RegisterAgentResponse,
    >("coral.discovery.v1.RegisterAgentResponse"),
    ::connect::json::AnyType::new::<
        LookupAgentRequest,
    >("coral.discovery.v1.LookupAgentRequest"),
    ::connect::json::AnyType::new::<
        LookupAgentResponse,
    >("coral.discovery.v1.LookupAgentResponse"),
    ::connect::json::AnyType::new::<
        RequestRelayRequest,
    >("coral.discovery.v1.RequestRelayRequest"),
    ::connect::json::AnyType::new::<
        RequestRelayResponse,
    >("coral.discovery.v1.RequestRelayResponse"),
    ::connect::json::AnyType::new::<
        ReleaseRelayRequest,
    >("coral.discovery.v1.ReleaseRelayRequest"),
    ::connect::json::AnyType::new::<
        ReleaseRelayResponse,
    >("coral.discovery.v1.ReleaseRelayResponse"),
    ::connect::json::AnyType::new::<HealthRequest>("coral.discovery.v1.HealthRequest"),
    ::connect::json::AnyType::new::<HealthResponse>("coral.discovery.v1.HealthResponse"),
    ::connect::json::AnyType::new::<Endpoint>("coral.discovery.v1.Endpoint"),
    ::connect::json::AnyType::new::<RelayOption>("coral.discovery.v1.RelayOption"),
    ::connect::json::AnyType::new::<
        PublicEndpointInfo,
    >("coral.discovery.v1.PublicEndpointInfo"),
    ::connect::json::AnyType::new::<
        CertificateFingerprint,
    >("coral.discovery.v1.CertificateFingerprint"),
    ::connect::json::AnyType::new::<
        CreateBootstrapTokenRequest,
    >("coral.discovery.v1.CreateBootstrapTokenRequest"),
    ::connect::json::AnyType::new::<
        CreateBootstrapTokenResponse,
    >("coral.discovery.v1.CreateBootstrapTokenResponse"),
    ::connect::json::AnyType::new::<
        PublishBootstrapRendezvousRequest,
    >("coral.discovery.v1.PublishBootstrapRendezvousRequest"),
    ::connect::json::AnyType::new::<
        PublishBootstrapRendezvousResponse,
    >("coral.discovery.v1.PublishBootstrapRendezvousResponse"),
    ::connect::json::AnyType::new::<
        PollBootstrapRendezvousRequest,
    >("coral.discovery.v1.PollBootstrapRendezvousRequest"),
    ::connect::json::AnyType::new::<
        PollBootstrapRendezvousResponse,
    >("coral.discovery.v1.PollBootstrapRendezvousResponse"),
    ::connect::json::AnyType::new::<
        BootstrapRendezvousRecord,
    >("coral.discovery.v1.BootstrapRendezvousRecord"),
    ::connect::json::AnyType::new::<
        AckBootstrapRendezvousRequest,
    >("coral.discovery.v1.AckBootstrapRendezvousRequest"),
    ::connect::json::AnyType::new::<
        AckBootstrapRendezvousResponse,
    >("coral.discovery.v1.AckBootstrapRendezvousResponse"),
];
