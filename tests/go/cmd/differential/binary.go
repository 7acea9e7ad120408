package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// deepestBinary is how far prost lets messages nest; Go lets them nest a hundred times as far.
const deepestBinary = 100

// compareBinary reads binary that may be damaged: both must refuse it, or make the same of it.
func (c *comparison) compareBinary(of protoreflect.MessageType, binary []byte) {
	name := of.Descriptor().FullName()
	theirs := of.New().Interface()
	err := proto.Unmarshal(binary, theirs)
	ours, refusal := c.peer.convert('b', name, binary)
	isRefused := strings.HasPrefix(refusal, "invalid_argument: unmarshal message")
	if refusal != "" && !isRefused && !strings.HasPrefix(refusal, "internal: marshal message") {
		c.disagree("binary", name, fmt.Sprintf("%x", binary), refusal, "an error of reading or of writing")
	}
	if isRefused != (err != nil) {
		if !isRefused || !c.refusedByProst(of.Descriptor(), binary, 0) {
			c.disagree("binary", name, fmt.Sprintf("%x", binary), refusal, fmt.Sprint(err))
		}
		return
	}
	if isRefused {
		return
	}
	text, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(theirs)
	if (refusal == "") != (err == nil) {
		if refusal == "" || !c.refusedByProst(of.Descriptor(), binary, 0) {
			c.disagree("binary", name, fmt.Sprintf("%x", binary), string(ours)+refusal, fmt.Sprint(string(text), err))
		}
		return
	}
	if err == nil && !sameJSON(parse(string(ours)), parse(string(text))) {
		c.disagree("binary", name, fmt.Sprintf("%x", binary), string(ours), string(text))
	}
}

// damage cuts binary, changes a few of its bytes, nests it, or adds fields that nobody knows.
func (c *comparison) damage(of protoreflect.MessageDescriptor, binary []byte) []byte {
	binary = append([]byte(nil), binary...)
	switch c.random.IntN(8) {
	case 0:
		return binary[:c.random.IntN(len(binary)+1)]
	case 1:
		return protowire.AppendVarint(protowire.AppendTag(binary, 1000, protowire.VarintType), 7)
	case 2:
		return protowire.AppendBytes(protowire.AppendTag(binary, 1000, protowire.BytesType), []byte("unknown"))
	case 3:
		group := protowire.AppendTag(binary, 1000, protowire.StartGroupType)
		group = protowire.AppendFixed64(protowire.AppendTag(group, 1, protowire.Fixed64Type), 7)
		return protowire.AppendTag(group, 1000, protowire.EndGroupType)
	case 4:
		return c.nest(of, binary)
	case 5:
		return binary
	default:
		for range 1 + c.random.IntN(3) {
			if len(binary) == 0 {
				return []byte{byte(c.random.Uint32())}
			}
			at := c.random.IntN(len(binary))
			switch c.random.IntN(3) {
			case 0:
				binary[at] = byte(c.random.Uint32())
			case 1:
				binary = append(binary[:at], binary[at+1:]...)
			default:
				some := pick(c, []byte{0xff}, []byte{0}, []byte{0x80, 0x80}, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, []byte{byte(c.random.Uint32())})
				binary = append(binary[:at], append(some, binary[at:]...)...)
			}
		}
		return binary
	}
}

// nest puts a message into itself as often as is allowed, or a little more, where its type has
// such a field.
func (c *comparison) nest(of protoreflect.MessageDescriptor, binary []byte) []byte {
	for i := range of.Fields().Len() {
		field := of.Fields().Get(i)
		if field.Message() == of && !field.IsList() {
			for range pick(c, 10, deepestBinary-5, deepestBinary-1, deepestBinary, deepestBinary+1, deepestBinary+20) {
				binary = protowire.AppendBytes(protowire.AppendTag(nil, field.Number(), protowire.BytesType), binary)
			}
		}
	}
	return binary
}

// refusedByProst tells whether binary has what prost refuses and Go reads: a known field with the
// wire type of another, which is unknown to Go, and messages that nest too deep.
func (c *comparison) refusedByProst(of protoreflect.MessageDescriptor, binary []byte, depth int) bool {
	// A message in a google.protobuf.Any is read from its own beginning.
	if depth >= deepestBinary {
		return true
	}
	var typeURL string
	if of.FullName() == "google.protobuf.Any" {
		var any anypb.Any
		if proto.Unmarshal(binary, &any) == nil {
			typeURL = any.TypeUrl
		}
	}
	for len(binary) > 0 {
		number, wire, size := protowire.ConsumeTag(binary)
		if size < 0 {
			return false
		}
		value := binary[size:]
		if size = protowire.ConsumeFieldValue(number, wire, value); size < 0 {
			return false
		}
		binary = value[size:]
		field := of.Fields().ByNumber(number)
		if field == nil {
			continue
		}
		isPacked := field.IsList() && wire == protowire.BytesType && isPackable(field.Kind())
		if wire != wireType(field.Kind()) && !isPacked {
			return true
		}
		if wire != protowire.BytesType {
			continue
		}
		content, _ := protowire.ConsumeBytes(value)
		if field.Message() != nil && c.refusedByProst(field.Message(), content, depth+1) {
			return true
		}
		if typeURL != "" && number == 2 {
			inner, err := c.types.FindMessageByURL(typeURL)
			if err == nil && c.refusedByProst(inner.Descriptor(), content, 0) {
				return true
			}
		}
	}
	return false
}

func wireType(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	default:
		return protowire.VarintType
	}
}

func isPackable(kind protoreflect.Kind) bool {
	return wireType(kind) != protowire.BytesType
}
