package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const lookupPath = "/coral.discovery.v1.DiscoveryService/LookupColony"

// attack is one way of meaning harm. Its call returns an error when the Worker answers otherwise than it should.
type attack struct {
	name string
	call load.Call
	// calls is how many there are; without, they go on for a time.
	calls int
}

func attacks(url string, client load.Client) []attack {
	host := strings.TrimPrefix(url, "http://")
	return []attack{
		{"made-up ids", madeUp(client), 100_000},
		{"ids of maximal length", func(ctx context.Context, number int) error {
			return client.LookupUnknown(ctx, fmt.Sprintf("%0255d", rand.Uint64()))
		}, 0},
		{"ids that are too long", func(ctx context.Context, _ int) error {
			return load.Expect(client.Lookup(ctx, strings.Repeat("x", 60_000), 0), connect.CodeInvalidArgument, "mesh_id")
		}, 0},
		{"gzip bombs", post(url, bomb(), http.StatusTooManyRequests, "Content-Encoding", "gzip"), 0},
		{"deep JSON", post(url, deep(), http.StatusBadRequest), 0},
		{"10,000 headers", func(ctx context.Context, _ int) error { return manyHeaders(host) }, 0},
		{"slow bodies", func(ctx context.Context, _ int) error { return slowBody(host) }, 0},
		{"half-closed connections", func(ctx context.Context, _ int) error { return halfClosed(host) }, 0},
	}
}

// madeUp looks up ids that nobody ever used, a new one each time.
func madeUp(client load.Client) load.Call {
	return func(ctx context.Context, _ int) error {
		return client.LookupUnknown(ctx, fmt.Sprintf("made-up-%x", rand.Uint64()))
	}
}

// post sends a body as JSON, which must be refused with that status.
func post(url string, body []byte, status int, headers ...string) load.Call {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hostileClients}}
	return func(ctx context.Context, _ int) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+lookupPath, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err == nil && answer.StatusCode != status {
			err = fmt.Errorf("status %d in place of %d: %s", answer.StatusCode, status, text)
		}
		return err
	}
}

// bomb is 60 KB that inflate to 60 MB.
func bomb() []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 60 {
		_, _ = writer.Write(zeros)
	}
	_ = writer.Close()
	return packed.Bytes()
}

// deep is as much JSON as a message may have, one array within another.
func deep() []byte {
	return []byte(`{"x":` + strings.Repeat("[", 60_000))
}

// dial opens a connection that does not stay longer than an attack.
func dial(host string) (net.Conn, error) {
	connection, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return connection, connection.SetDeadline(time.Now().Add(4 * attacking))
}

func manyHeaders(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n", lookupPath)
	for number := range 10_000 {
		fmt.Fprintf(&head, "x-%d: y\r\n", number)
	}
	head.WriteString("Content-Length: 2\r\n\r\n{}")
	_, _ = io.WriteString(connection, head.String())
	// The runtime refuses it before the Worker sees it, or the Worker answers that there is no mesh id.
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return nil // the runtime closes the connection
	}
	defer answer.Body.Close()
	if answer.StatusCode < 400 || answer.StatusCode >= 500 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// slowBody announces a body, sends a byte of it now and then, and goes away.
func slowBody(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n", lookupPath)
	for range 10 {
		time.Sleep(20 * time.Millisecond)
		if _, err := io.WriteString(connection, " "); err != nil {
			return err
		}
	}
	return nil
}

// halfClosed sends half of a request, closes its side, and waits for what comes.
func halfClosed(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{", lookupPath)
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, connection)
	return nil
}
