package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

var stunServers = []string{"stun.cloudflare.com:3478"}

// server handles calls as the legacy server does. Later methods are unimplemented.
type server struct {
	discoveryv1connect.UnimplementedDiscoveryServiceHandler
	registry registry
	started  time.Time
}

func newServer(ttl time.Duration) *server {
	return &server{
		registry: registry{
			ttl: ttl, entries: map[string]entry{}, sessions: map[string]time.Time{},
		},
		started: time.Now(),
	}
}

// required returns an error that names the first empty field. Fields are name, value, name, value.
func required(fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] == "" {
			err := fmt.Errorf("%s is required", fields[i])
			return connect.NewError(connect.CodeInvalidArgument, err)
		}
	}
	return nil
}

func (s *server) RegisterColony(
	_ context.Context, r *connect.Request[discoveryv1.RegisterColonyRequest],
) (*connect.Response[discoveryv1.RegisterColonyResponse], error) {
	m := r.Msg
	if err := required("mesh_id", m.MeshId, "pubkey", m.Pubkey); err != nil {
		return nil, err
	}
	if len(m.Endpoints) == 0 {
		err := errors.New("at least one endpoint is required")
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	fromHeaders := observedEndpoint(r.Header())
	e := entry{
		pubkey: m.Pubkey, endpoints: m.Endpoints, ipv4: m.MeshIpv4, ipv6: m.MeshIpv6,
		port: m.ConnectPort, publicPort: m.PublicPort, public: m.PublicEndpoint,
		metadata: m.Metadata, observed: m.ObservedEndpoint,
	}
	if e.observed == nil {
		e.observed = fromHeaders
	}
	e, err := s.registry.register(m.MeshId, e)
	if err != nil {
		return nil, connect.NewError(connect.CodeInternal, err)
	}
	return connect.NewResponse(&discoveryv1.RegisterColonyResponse{
		Success: true, Ttl: int32(s.registry.ttl.Seconds()), ExpiresAt: timestamppb.New(e.expiresAt),
		ObservedEndpoint: fromHeaders, StunServers: stunServers,
	}), nil
}

func (s *server) LookupColony(
	_ context.Context, r *connect.Request[discoveryv1.LookupColonyRequest],
) (*connect.Response[discoveryv1.LookupColonyResponse], error) {
	if err := required("mesh_id", r.Msg.MeshId); err != nil {
		return nil, err
	}
	e, err := s.registry.lookup(r.Msg.MeshId)
	if err != nil {
		return nil, connect.NewError(connect.CodeNotFound, err)
	}
	return connect.NewResponse(&discoveryv1.LookupColonyResponse{
		MeshId: r.Msg.MeshId, Pubkey: e.pubkey, Endpoints: e.endpoints,
		MeshIpv4: e.ipv4, MeshIpv6: e.ipv6, ConnectPort: e.port,
		PublicPort: e.publicPort, PublicEndpoint: e.public, Metadata: e.metadata,
		LastSeen: e.lastSeenTimestamp(), ObservedEndpoints: e.observedEndpoints(), Nat: e.nat(),
		Relays: []*discoveryv1.RelayOption{{
			Endpoint: relay(), RelayId: "default-relay", Region: "global", Load: 50,
		}},
	}), nil
}

func (s *server) RegisterAgent(
	_ context.Context, r *connect.Request[discoveryv1.RegisterAgentRequest],
) (*connect.Response[discoveryv1.RegisterAgentResponse], error) {
	m := r.Msg
	if err := required("agent_id", m.AgentId, "mesh_id", m.MeshId, "pubkey", m.Pubkey); err != nil {
		return nil, err
	}
	e := entry{
		pubkey: m.Pubkey, endpoints: m.Endpoints, metadata: m.Metadata, observed: m.ObservedEndpoint,
	}
	if e.observed == nil {
		e.observed = observedEndpoint(r.Header())
	}
	e, err := s.registry.register(m.AgentId, e)
	if err != nil {
		return nil, connect.NewError(connect.CodeInternal, err)
	}
	return connect.NewResponse(&discoveryv1.RegisterAgentResponse{
		Success: true, Ttl: int32(s.registry.ttl.Seconds()), ExpiresAt: timestamppb.New(e.expiresAt),
		ObservedEndpoint: e.observed, StunServers: stunServers,
	}), nil
}

func (s *server) LookupAgent(
	_ context.Context, r *connect.Request[discoveryv1.LookupAgentRequest],
) (*connect.Response[discoveryv1.LookupAgentResponse], error) {
	if err := required("agent_id", r.Msg.AgentId); err != nil {
		return nil, err
	}
	e, err := s.registry.lookup(r.Msg.AgentId)
	if err != nil {
		return nil, connect.NewError(connect.CodeNotFound, err)
	}
	return connect.NewResponse(&discoveryv1.LookupAgentResponse{
		// The legacy server returns the agent's id as the mesh id.
		AgentId: r.Msg.AgentId, MeshId: r.Msg.AgentId, Pubkey: e.pubkey, Endpoints: e.endpoints,
		Metadata: e.metadata,
		LastSeen: e.lastSeenTimestamp(), ObservedEndpoints: e.observedEndpoints(), Nat: e.nat(),
	}), nil
}

func (s *server) RequestRelay(
	_ context.Context, r *connect.Request[discoveryv1.RequestRelayRequest],
) (*connect.Response[discoveryv1.RequestRelayResponse], error) {
	m := r.Msg
	err := required(
		"mesh_id", m.MeshId, "agent_pubkey", m.AgentPubkey, "colony_pubkey", m.ColonyPubkey)
	if err != nil {
		return nil, err
	}
	id, expiresAt := s.registry.newSession()
	return connect.NewResponse(&discoveryv1.RequestRelayResponse{
		RelayEndpoint: relay(), SessionId: id, ExpiresAt: timestamppb.New(expiresAt),
		RelayId: "default-relay",
	}), nil
}

func (s *server) ReleaseRelay(
	_ context.Context, r *connect.Request[discoveryv1.ReleaseRelayRequest],
) (*connect.Response[discoveryv1.ReleaseRelayResponse], error) {
	if err := required("session_id", r.Msg.SessionId); err != nil {
		return nil, err
	}
	if !s.registry.endSession(r.Msg.SessionId) {
		err := fmt.Errorf("relay session not found: %s", r.Msg.SessionId)
		return nil, connect.NewError(connect.CodeNotFound, err)
	}
	return connect.NewResponse(&discoveryv1.ReleaseRelayResponse{Success: true}), nil
}

func (s *server) Health(
	context.Context, *connect.Request[discoveryv1.HealthRequest],
) (*connect.Response[discoveryv1.HealthResponse], error) {
	return connect.NewResponse(&discoveryv1.HealthResponse{
		Status: "ok", Version: "legacy",
		UptimeSeconds:      int64(time.Since(s.started).Seconds()),
		RegisteredColonies: s.registry.count(),
	}), nil
}

// relay returns the only relay, which does not exist.
func relay() *discoveryv1.Endpoint {
	return &discoveryv1.Endpoint{Ip: "relay.coral.io", Port: 3478, Protocol: "udp", ViaRelay: true}
}

// observedEndpoint returns the first public IPv4 address in the headers, by the legacy server's
// rules.
func observedEndpoint(header http.Header) *discoveryv1.Endpoint {
	first, _, _ := strings.Cut(header.Get("X-Forwarded-For"), ",")
	for _, text := range []string{first, header.Get("X-Real-Ip"), header.Get("X-Observed-Addr")} {
		ip := net.ParseIP(strings.TrimSpace(text)).To4()
		if ip != nil && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() &&
			!ip.IsMulticast() && !ip.IsUnspecified() {
			return &discoveryv1.Endpoint{Ip: ip.String(), Protocol: "udp"}
		}
	}
	return nil
}
