// Command differential compares the Rust codecs with Go's, on random messages, mutated JSON and
// damaged binary.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	differentialv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/differential/v1"
)

// discoveryMessages are messages of the service that are compared, besides those of the image.
var discoveryMessages = []proto.Message{
	&discoveryv1.RegisterColonyRequest{},
	&discoveryv1.LookupColonyResponse{},
	&discoveryv1.RegisterAgentResponse{},
}

// maxPrinted bounds the number of mismatches that are printed.
const maxPrinted = 20

// comparison compares the codecs and counts mismatches.
type comparison struct {
	rust       *rustCodecs
	types      *types
	random     *rand.Rand
	mismatches int
}

func main() {
	cases := flag.Int("cases", 20_000, "number of messages")
	seed := flag.Uint64("seed", 1, "seed of the random messages")
	program := flag.String("peer", "", "program with the Rust codecs")
	image := flag.String("image", "", "descriptors of more messages to compare")
	flag.Parse()
	rust, err := startRustCodecs(*program)
	if err != nil {
		log.Fatal(err)
	}
	types, err := readTypes(*image)
	if err != nil {
		log.Fatal(err)
	}
	c := &comparison{rust: rust, types: types, random: rand.New(rand.NewPCG(*seed, 0))}
	c.compareMessages(*cases)
	fmt.Printf("%d cases, seed %d, %d mismatches\n", *cases, *seed, c.mismatches)
	if c.mismatches > 0 {
		os.Exit(1)
	}
}

// compareMessages compares random messages. Every other one is of the type that has every kind of
// field.
func (c *comparison) compareMessages(cases int) {
	others := c.types.messages
	for _, message := range discoveryMessages {
		others = append(others, message.ProtoReflect().Type())
	}
	everything := (&differentialv1.Everything{}).ProtoReflect().Type()
	for i := range cases {
		if i%2 == 0 {
			c.compareMessage(everything)
		} else {
			c.compareMessage(others[i/2%len(others)])
		}
		if i%100_000 == 99_999 {
			fmt.Printf("%d cases, %d mismatches\n", i+1, c.mismatches)
		}
	}
}

// compareMessage generates a message, and compares how both codecs encode it, and how they decode
// its JSON, mutated JSON and damaged binary.
func (c *comparison) compareMessage(messageType protoreflect.MessageType) {
	message := messageType.New()
	c.fill(message, 0)
	text, ok := c.compareEncoding(message.Interface())
	if !ok {
		return
	}
	c.compareDecoding(messageType, text)
	c.compareDecoding(messageType, c.mutate(text))
	binary, err := proto.Marshal(message.Interface())
	if err != nil {
		log.Fatal(err)
	}
	c.compareBinary(messageType, c.damage(messageType.Descriptor(), binary))
}

// compareEncoding compares the JSON of both codecs. It returns Go's, and false if the message has
// no JSON.
func (c *comparison) compareEncoding(message proto.Message) (string, bool) {
	binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	name := message.ProtoReflect().Descriptor().FullName()
	rustJSON, failure := c.rust.convert(fromBinary, name, binary)
	goJSON, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(message)
	if (failure == "") != (err == nil) {
		c.report("encoding", name, fmt.Sprintf("%x", binary),
			string(rustJSON)+failure, fmt.Sprint(string(goJSON), err))
		return "", false
	}
	if err == nil && !equalJSON(parse(string(rustJSON)), parse(string(goJSON))) {
		c.report("encoding", name, fmt.Sprintf("%x", binary), string(rustJSON), string(goJSON))
	}
	return string(goJSON), err == nil
}

// compareDecoding compares the messages that both codecs decode from JSON. Unknown fields are
// ignored, as in connect-go.
func (c *comparison) compareDecoding(messageType protoreflect.MessageType, text string) {
	name := messageType.Descriptor().FullName()
	rustBinary, failure := c.rust.convert(fromJSON, name, []byte(text))
	goMessage := messageType.New().Interface()
	options := protojson.UnmarshalOptions{DiscardUnknown: true, Resolver: c.types}
	err := options.Unmarshal([]byte(text), goMessage)
	if isKnownMismatch(text, failure, err) {
		return
	}
	if (failure == "") != (err == nil) {
		c.report("decoding", name, text, fmt.Sprintf("%x%s", rustBinary, failure), fmt.Sprint(err))
		return
	}
	if err == nil {
		c.compareDecoded(messageType, text, rustBinary, goMessage)
	}
}

// isKnownMismatch returns true if only one codec accepts the JSON, for a known reason.
func isKnownMismatch(text, failure string, err error) bool {
	if failure != "" {
		return err == nil && lenientNumber.MatchString(text)
	}
	if err == nil {
		return false
	}
	// serde does not validate escapes in ignored strings.
	hasEscape := strings.Contains(err.Error(), "invalid escape code") &&
		strings.Contains(text, `\u`)
	isSetTwice := strings.Contains(err.Error(), "is already set") &&
		unknownChoice.MatchString(text)
	return hasEscape || isSetTwice
}

func (c *comparison) compareDecoded(
	messageType protoreflect.MessageType, input string, rustBinary []byte, goMessage proto.Message,
) {
	rustMessage := messageType.New().Interface()
	if err := proto.Unmarshal(rustBinary, rustMessage); err != nil {
		log.Fatalf("decoding of %s: Go cannot decode Rust's binary: %v", input, err)
	}
	if proto.Equal(rustMessage, goMessage) {
		return
	}
	// A google.protobuf.Any may have other bytes for an equal message, but the same JSON.
	rustJSON, goJSON := c.format(rustMessage), c.format(goMessage)
	if !equalJSON(parse(rustJSON), parse(goJSON)) {
		c.report("decoding", messageType.Descriptor().FullName(), input, rustJSON, goJSON)
	}
}

// report counts a mismatch, and prints the first ones.
func (c *comparison) report(
	operation string, name protoreflect.FullName, input, rustResult, goResult string,
) {
	if c.mismatches++; c.mismatches <= maxPrinted {
		fmt.Printf("%s %s\n  input: %s\n  Rust:  %s\n  Go:    %s\n",
			operation, name, truncate(input), truncate(rustResult), truncate(goResult))
	}
}

func (c *comparison) format(message proto.Message) string {
	options := protojson.MarshalOptions{Resolver: c.types, Multiline: true}
	text, err := options.Marshal(message)
	return fmt.Sprint(string(text), err)
}

func truncate(text string) string {
	if len(text) > 1500 {
		return text[:1500] + "..."
	}
	return text
}
