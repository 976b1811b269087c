package server

import (
	"context"
	"errors"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/model/serving/oippb"
)

// NewGRPC returns a gRPC server with the service registered, for a listener of
// the caller's, with more options, such as credentials for TLS.
func (s *Server) NewGRPC(more ...grpc.ServerOption) *grpc.Server {
	rpc := grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(int(min(s.opt.Bytes, math.MaxInt32))),
		grpc.MaxSendMsgSize(math.MaxInt32),
		// Clients keep more requests than that until there is room on their connection.
		grpc.MaxConcurrentStreams(uint32(cap(s.bodies))),
		grpc.InTapHandle(s.admit),
	}, more...)...)
	rpc.RegisterService(&grpc.ServiceDesc{
		ServiceName: oippb.ServiceName,
		HandlerType: (*any)(nil), // any server will do: the methods name theirs
		Methods: []grpc.MethodDesc{
			method("ServerLive", func(*Server, context.Context, *oippb.ServerLiveRequest) (*oippb.ServerLiveResponse, error) {
				return &oippb.ServerLiveResponse{Live: true}, nil
			}),
			method("ServerReady", func(*Server, context.Context, *oippb.ServerReadyRequest) (*oippb.ServerReadyResponse, error) {
				return &oippb.ServerReadyResponse{Ready: true}, nil
			}),
			method("ServerMetadata", func(s *Server, _ context.Context, _ *oippb.ServerMetadataRequest) (*oippb.ServerMetadataResponse, error) {
				return &oippb.ServerMetadataResponse{Name: s.server.Name, Version: s.server.Version, Extensions: s.server.Extensions}, nil
			}),
			method("ModelReady", func(s *Server, _ context.Context, r *oippb.ModelReadyRequest) (*oippb.ModelReadyResponse, error) {
				return &oippb.ModelReadyResponse{Ready: true}, s.find(r.GetName(), r.GetVersion())
			}),
			method("ModelMetadata", func(s *Server, _ context.Context, r *oippb.ModelMetadataRequest) (*oippb.ModelMetadataResponse, error) {
				return s.about.ToProto(), s.find(r.GetName(), r.GetVersion())
			}),
			method("ModelConfig", func(s *Server, _ context.Context, r *oippb.ModelConfigRequest) (*oippb.ModelConfigResponse, error) {
				return &oippb.ModelConfigResponse{Config: &oippb.ModelConfig{
					Name: s.config.Name, Platform: s.config.Platform, MaxBatchSize: int32(min(s.config.MaxBatchSize, math.MaxInt32)),
				}}, s.find(r.GetName(), r.GetVersion())
			}),
			method("RepositoryIndex", func(s *Server, _ context.Context, _ *oippb.RepositoryIndexRequest) (*oippb.RepositoryIndexResponse, error) {
				return &oippb.RepositoryIndexResponse{Models: []*oippb.RepositoryIndexResponse_ModelIndex{
					{Name: s.opt.Name, Version: s.opt.Version, State: "READY"},
				}}, nil
			}),
			method("ModelInfer", (*Server).inferGRPC),
		},
	}, s)
	return rpc
}

// errBusy is said to requests that there is no room for.
var errBusy = errors.New("the server has as many requests as it has room for: ask again later")

// admit lets a request in before its message is read: who has no token fills no
// memory, and others fill no more than there is room for. It must not wait, since
// nothing on the connection is read meanwhile: over several connections clients are
// told to ask again.
func (s *Server) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	if !s.authorized(one(info.Header.Get("authorization"))) {
		return nil, status.Error(codes.Unauthenticated, errToken.Error())
	}
	if info.FullMethodName != oippb.ServicePath+"ModelInfer" {
		return ctx, nil
	}
	select {
	case s.streams <- struct{}{}:
		context.AfterFunc(ctx, func() { <-s.streams }) // it ends with the request
		return ctx, nil
	default:
		return nil, status.Error(codes.ResourceExhausted, errBusy.Error())
	}
}

// one returns the only value of a header, "" for none and for several.
func one(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// method makes a method of the service.
func method[Request, Response any](name string, answer func(*Server, context.Context, *Request) (*Response, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, read func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		s := srv.(*Server)
		request := new(Request)
		if err := read(request); err != nil {
			return nil, err
		}
		handle := func(ctx context.Context, request any) (any, error) {
			out, err := answer(s, ctx, request.(*Request))
			if err != nil {
				return nil, statusOf(err)
			}
			return out, nil
		}
		if around == nil {
			return handle(ctx, request)
		}
		return around(ctx, request, &grpc.UnaryServerInfo{Server: srv, FullMethod: oippb.ServicePath + name}, handle)
	}}
}

func statusOf(err error) error {
	var request *requestError
	code := codes.Internal
	switch {
	case errors.As(err, &request) && request.missing:
		code = codes.NotFound
	case errors.As(err, &request):
		code = codes.InvalidArgument
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}

func (s *Server) inferGRPC(ctx context.Context, m *oippb.ModelInferRequest) (*oippb.ModelInferResponse, error) {
	if err := s.find(m.GetModelName(), m.GetModelVersion()); err != nil {
		return nil, err
	}
	request, err := oip.RequestOf(m)
	if err != nil {
		return nil, badRequest("%w", err)
	}
	response, err := s.infer(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.Proto(), nil
}
