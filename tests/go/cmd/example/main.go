// Command example registers a colony and looks it up.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:8787", "address of the service")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client := discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, *url)

	registration := &discoveryv1.RegisterColonyRequest{
		MeshId:    "my-mesh",
		Pubkey:    "my-key",
		Endpoints: []string{"192.0.2.1:51820"},
	}
	registered, err := client.RegisterColony(ctx, connect.NewRequest(registration))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("registered for %d seconds\n", registered.Msg.GetTtl())

	lookup := &discoveryv1.LookupColonyRequest{MeshId: "my-mesh"}
	found, err := client.LookupColony(ctx, connect.NewRequest(lookup))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("found %s at %v\n", found.Msg.GetMeshId(), found.Msg.GetEndpoints())
}
