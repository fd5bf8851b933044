package receiver

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // OTLP servers must take it
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
)

// grpcServer returns the server of OTLP/gRPC.
//
// Its three methods are unary on the wire, and registered as streams: the handler of
// a unary method is called when its message has been read and decompressed, whoever
// sent it. This way nothing is read before the sender is known and it is its turn.
// What strangers can make the server hold is the 64 KiB that a connection may send
// ahead, for as long as it takes to look at their credential.
func (e *otlpEdge) grpcServer() *grpc.Server {
	s := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(MaxOTLPBytes), // decompressed
		grpc.MaxHeaderListSize(MaxHeaderBytes),
		grpc.MaxConcurrentStreams(MaxStreams),
		grpc.ConnectionTimeout(ReadHeaderTimeout),
		grpc.StaticStreamWindowSize(64<<10), grpc.StaticConnWindowSize(64<<10), // do not grow with the line
		grpc.ReadBufferSize(8<<10), grpc.WriteBufferSize(8<<10), // of 32 KiB each otherwise
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: OTLPIdleTimeout,
			Time:              time.Minute, // a pod that is gone is noticed after this
			Timeout:           20 * time.Second,
		}),
		// SDKs may ping as often as every 10 s; more often is an attack.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	for _, signal := range otlp.Signals() {
		s.RegisterService(&grpc.ServiceDesc{
			ServiceName: grpcService(signal),
			HandlerType: (*any)(nil),
			Streams: []grpc.StreamDesc{{
				StreamName: "Export",
				Handler:    e.recovered(otlpMethod{e, signal}.export),
			}},
		}, nil)
	}
	return s
}

// grpcService returns the full name of the service that takes a signal.
func grpcService(s otlp.Signal) string {
	switch s {
	case otlp.Metrics:
		return "opentelemetry.proto.collector.metrics.v1.MetricsService"
	case otlp.Traces:
		return "opentelemetry.proto.collector.trace.v1.TraceService"
	case otlp.Logs:
		return "opentelemetry.proto.collector.logs.v1.LogsService"
	}
	panic("receiver: no such signal: " + string(s))
}

// export answers a request over gRPC.
func (m otlpMethod) export(_ any, stream grpc.ServerStream) error {
	ctx := stream.Context()
	sent, _ := metadata.FromIncomingContext(ctx)
	header := http.Header{}
	for _, v := range sent.Get("authorization") {
		header.Add("Authorization", v)
	}
	body, refusal := m.take(ctx, export{
		signal: m.signal, encoding: otlp.Protobuf, header: header,
		read: func() ([]byte, error) { return receive(stream) },
	})
	if refusal != nil {
		return rpcStatus(*refusal).Err()
	}
	return stream.SendMsg(&message{body}) // an error of this is the sender's going
}

// receive reads the one message of a request, for at most ReadTimeout. The stream
// ends when its handler does, and reading with it.
func receive(stream grpc.ServerStream) ([]byte, error) {
	var m message
	read := make(chan error, 1)
	go func() { read <- stream.RecvMsg(&m) }()
	tooLong := time.NewTimer(ReadTimeout)
	defer tooLong.Stop()
	select {
	case err := <-read:
		return m.body, receiveError(err)
	case <-tooLong.C:
		return nil, errSlow
	}
}

// receiveError says what it means that a message could not be read. The sender has
// been told already, by grpc: RESOURCE_EXHAUSTED if it is too large, and INTERNAL if
// it is not the gzip that it is declared to be.
func receiveError(err error) error {
	code := status.Code(err)
	if code == codes.OK {
		return nil
	}
	if code == codes.ResourceExhausted {
		return &tooLargeError{MaxOTLPBytes}
	}
	if code == codes.Canceled || code == codes.DeadlineExceeded {
		return context.Canceled // the sender is gone
	}
	return &otlp.MalformedError{Detail: "the message could not be read: " + status.Convert(err).Message()}
}

// recovered returns handle with a panic, which is a fault of ours, turned into a log
// line and a refusal. It is not an interceptor: grpc calls none of streams for what is
// unary on the wire.
func (e *otlpEdge) recovered(handle grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) (err error) {
		defer func() {
			if p := recover(); p != nil {
				method, _ := grpc.MethodFromServerStream(stream)
				e.Log.Error("handler panicked", "panic", fmt.Sprint(p), "path", method, "stack", string(debug.Stack()))
				err = rpcStatus(problem.Details{Kind: problem.InternalError, Detail: faultOfOurs}).Err()
			}
		}()
		return handle(srv, stream)
	}
}

// message is a message of gRPC that is not decoded, or encoded already.
type message struct{ body []byte }

// rawCodec leaves messages as they are, so that package otlp reads and writes those
// of both transports.
type rawCodec struct{}

// Marshal implements encoding.CodecV2.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*message)
	if !ok {
		return nil, fmt.Errorf("not a message: %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(m.body)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return fmt.Errorf("not a message: %T", v)
	}
	m.body = data.Materialize()
	return nil
}

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "proto" }
