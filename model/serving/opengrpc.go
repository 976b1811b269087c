package serving

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/model/serving/oippb"
)

// grpcTransport speaks the Open Inference Protocol over gRPC.
type grpcTransport struct {
	address address
	conn    *grpc.ClientConn
	token   string
}

// longestReconnect is the longest wait between two attempts to connect.
const longestReconnect = 5 * time.Second

func connectGRPC(a address, opt Options) (transport, error) {
	security := insecure.NewCredentials()
	if a.tls {
		security = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	conn, err := grpc.NewClient(a.base,
		grpc.WithTransportCredentials(security),
		// Attempts are counted here, where cut-off answers are seen too.
		grpc.WithDisableRetry(),
		// A connection is tried again while there are attempts left; by itself
		// gRPC would wait for up to two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstWait, MaxDelay: longestReconnect, Multiplier: 2, Jitter: jitter},
			MinConnectTimeout: opt.Timeout,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.MaxCallSendMsgSize(maxAnswer)),
	)
	if err != nil {
		return nil, err
	}
	return &grpcTransport{address: a, conn: conn, token: opt.Token}, nil
}

func (t *grpcTransport) close() error { return t.conn.Close() }

// call makes one attempt. The error is a *failure, or that of ctx.
func (t *grpcTransport) call(ctx context.Context, method string, request, response proto.Message) error {
	if t.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+t.token)
	}
	err := t.conn.Invoke(ctx, oippb.ServicePath+method, request, response)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := status.Convert(err)
	f := &failure{err: statusError{s}}
	switch s.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		f.hint = tokenHint
	case codes.Unavailable:
		f.again, f.hint = true, "is the server running there, with gRPC on this port?"
	case codes.ResourceExhausted:
		// Too many requests, or one that is too long: only the text tells.
		f.again, f.hint = true, rowsHint
	case codes.Aborted, codes.DeadlineExceeded:
		f.again = true
	case codes.Unimplemented:
		f.hint = "the server does not speak the Open Inference Protocol there"
	case codes.NotFound:
	default:
		f.rows = true
	}
	return f
}

// A statusError is a gRPC status in fewer words.
type statusError struct{ *status.Status }

func (e statusError) Error() string {
	return "the server answers " + e.Code().String() + said([]byte(e.Message()))
}

func (t *grpcTransport) describe(ctx context.Context) (description, error) {
	var about oippb.ModelMetadataResponse
	if err := t.call(ctx, "ModelMetadata", &oippb.ModelMetadataRequest{Name: t.address.name, Version: t.address.version}, &about); err != nil {
		if statusCode(err) == codes.NotFound {
			return description{}, t.notFound(ctx, err)
		}
		return description{}, err
	}
	metadata, err := oip.FromProtoMetadata(&about)
	if err != nil {
		return description{}, lasting("", "the server's metadata: %w", err)
	}
	var server oippb.ServerMetadataResponse
	if err := t.call(ctx, "ServerMetadata", &oippb.ServerMetadataRequest{}, &server); err != nil {
		if f, ok := err.(*failure); !ok || f.again {
			return description{}, err
		}
	}
	d, err := describeOpen(metadata, oip.ServerMetadata{Name: server.GetName(), Version: server.GetVersion()}, "gRPC")
	if err != nil {
		return description{}, err
	}
	if slices.Contains(server.GetExtensions(), oip.ModelConfiguration) {
		var config oippb.ModelConfigResponse
		if err := t.call(ctx, "ModelConfig", &oippb.ModelConfigRequest{Name: t.address.name, Version: t.address.version}, &config); err == nil {
			d.maxRows = max(0, int(config.GetConfig().GetMaxBatchSize()))
		}
	}
	return d, nil
}

// statusCode returns the code that a failure of call came with.
func statusCode(err error) codes.Code {
	if f, ok := err.(*failure); ok {
		if s, ok := f.err.(statusError); ok {
			return s.Code()
		}
	}
	return codes.Unknown
}

func (t *grpcTransport) notFound(ctx context.Context, err error) error {
	var found oippb.RepositoryIndexResponse
	if t.call(ctx, "RepositoryIndex", &oippb.RepositoryIndexRequest{}, &found) != nil {
		return err
	}
	var index []oip.ModelIndex
	for _, m := range found.GetModels() {
		index = append(index, oip.ModelIndex{Name: m.GetName()})
	}
	return missing(t.address.name, index, err)
}

func (t *grpcTransport) infer(ctx context.Context, id string, inputs model.Batch, outputs []string) (model.Batch, error) {
	request := oip.Request{ID: id, Inputs: inputs, Outputs: outputs}.Proto(t.address.name, t.address.version)
	var answer oippb.ModelInferResponse
	if err := t.call(ctx, "ModelInfer", request, &answer); err != nil {
		return nil, err
	}
	response, err := oip.ResponseOf(&answer)
	if err != nil {
		return nil, malformed(err)
	}
	return answered(response, id)
}
