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

// maxProstDepth is the depth of messages that prost decodes. Go decodes a hundred times as many.
const maxProstDepth = 100

// compareBinary compares how both codecs decode binary that may be damaged: both must reject it, or
// decode the same message.
func (c *comparison) compareBinary(messageType protoreflect.MessageType, binary []byte) {
	descriptor := messageType.Descriptor()
	name := descriptor.FullName()
	input := fmt.Sprintf("%x", binary)
	goMessage := messageType.New().Interface()
	err := proto.Unmarshal(binary, goMessage)
	rustJSON, failure := c.rust.convert(fromBinary, name, binary)
	isRejected := strings.HasPrefix(failure, "invalid_argument: unmarshal message")
	if failure != "" && !isRejected && !strings.HasPrefix(failure, "internal: marshal message") {
		c.report("binary", name, input, failure, "an error of decoding or of encoding")
	}
	if isRejected != (err != nil) {
		if !isRejected || !c.onlyProstRejects(descriptor, binary, 0) {
			c.report("binary", name, input, failure, fmt.Sprint(err))
		}
		return
	}
	if isRejected {
		return
	}
	goJSON, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(goMessage)
	if (failure == "") != (err == nil) {
		if failure == "" || !c.onlyProstRejects(descriptor, binary, 0) {
			c.report("binary", name, input,
				string(rustJSON)+failure, fmt.Sprint(string(goJSON), err))
		}
		return
	}
	if err == nil && !equalJSON(parse(string(rustJSON)), parse(string(goJSON))) {
		c.report("binary", name, input, string(rustJSON), string(goJSON))
	}
}

// damage truncates binary, changes a few bytes, nests the message, or adds unknown fields.
func (c *comparison) damage(descriptor protoreflect.MessageDescriptor, binary []byte) []byte {
	binary = append([]byte(nil), binary...)
	switch c.random.IntN(8) {
	case 0:
		return binary[:c.random.IntN(len(binary)+1)]
	case 1:
		return protowire.AppendVarint(protowire.AppendTag(binary, 1000, protowire.VarintType), 7)
	case 2:
		tagged := protowire.AppendTag(binary, 1000, protowire.BytesType)
		return protowire.AppendBytes(tagged, []byte("unknown"))
	case 3:
		group := protowire.AppendTag(binary, 1000, protowire.StartGroupType)
		group = protowire.AppendFixed64(protowire.AppendTag(group, 1, protowire.Fixed64Type), 7)
		return protowire.AppendTag(group, 1000, protowire.EndGroupType)
	case 4:
		return c.nest(descriptor, binary)
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
				inserted := pick(c, []byte{0xff}, []byte{0}, []byte{0x80, 0x80},
					[]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, []byte{byte(c.random.Uint32())})
				binary = append(binary[:at], append(inserted, binary[at:]...)...)
			}
		}
		return binary
	}
}

// nest nests a message in a field of its own type, if it has one, to about the depth that prost
// decodes.
func (c *comparison) nest(descriptor protoreflect.MessageDescriptor, binary []byte) []byte {
	for i := range descriptor.Fields().Len() {
		field := descriptor.Fields().Get(i)
		if field.Message() == descriptor && !field.IsList() {
			depth := pick(c, 10, maxProstDepth-5, maxProstDepth-1, maxProstDepth, maxProstDepth+1,
				maxProstDepth+20)
			for range depth {
				tag := protowire.AppendTag(nil, field.Number(), protowire.BytesType)
				binary = protowire.AppendBytes(tag, binary)
			}
		}
	}
	return binary
}

// onlyProstRejects returns true for binary that prost rejects and Go decodes: messages that are
// nested too deep, and known fields with a wrong wire type, which are unknown fields to Go.
func (c *comparison) onlyProstRejects(
	descriptor protoreflect.MessageDescriptor, binary []byte, depth int,
) bool {
	if depth >= maxProstDepth {
		return true
	}
	var typeURL string
	if descriptor.FullName() == "google.protobuf.Any" {
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
		field := descriptor.Fields().ByNumber(number)
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
		if field.Message() != nil && c.onlyProstRejects(field.Message(), content, depth+1) {
			return true
		}
		if typeURL != "" && number == 2 {
			// The depth of a message in a google.protobuf.Any counts from 0.
			inner, err := c.types.FindMessageByURL(typeURL)
			if err == nil && c.onlyProstRejects(inner.Descriptor(), content, 0) {
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
