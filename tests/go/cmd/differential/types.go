package main

import (
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// types resolves generated types, and types of an image, which have no generated code.
type types struct {
	*protoregistry.Types
	image    *dynamicpb.Types
	messages []protoreflect.MessageType
}

// readTypes reads an image: a google.protobuf.FileDescriptorSet.
func readTypes(path string) (*types, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(content, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	all := &types{Types: protoregistry.GlobalTypes, image: dynamicpb.NewTypes(files)}
	service, err := files.FindFileByPath("connectrpc/conformance/v1/service.proto")
	if err != nil {
		return nil, err
	}
	for i := range service.Messages().Len() {
		all.messages = append(all.messages, dynamicpb.NewMessageType(service.Messages().Get(i)))
	}
	return all, nil
}

// FindMessageByURL finds the message type of a google.protobuf.Any.
func (t *types) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if found, err := t.Types.FindMessageByURL(url); err == nil {
		return found, nil
	}
	return t.image.FindMessageByURL(url)
}

// FindMessageByName finds a message type by its full name.
func (t *types) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	if found, err := t.Types.FindMessageByName(name); err == nil {
		return found, nil
	}
	return t.image.FindMessageByName(name)
}
