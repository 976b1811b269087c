package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/serving"
	"github.com/intershap/intershap/model/serving/server"
)

type serveOptions struct {
	question
	narration
	address, grpc, name string
	rows                int
	json                bool
}

// A serveReport is what `serve-model --json` prints once it listens.
type serveReport struct {
	Model string `json:"model"`
	// HTTP and GRPC are URLs that explain takes, "" where it does not listen.
	HTTP string `json:"http"`
	GRPC string `json:"grpc"`
}

const (
	defaultServeAddress = "127.0.0.1:8000"
	defaultServeRows    = "1024"
	// versionDigits of a digest tell models of a server apart.
	versionDigits = 12
)

func newServe(s *streams) *cobra.Command {
	var opt serveOptions
	cmd := &cobra.Command{
		Use:   "serve-model MODEL [flags]",
		Short: "Serve a model to runs on other machines",
		Long: `Serve a model under the Open Inference Protocol, over HTTP and gRPC, so that one
machine explains and another infers. Any client of the protocol may ask.

MODEL is what explain takes. What is printed are the URLs for explain; it serves
until it is interrupted, and then finishes what it has begun.

Where ` + serving.TokenVariable + ` is set clients must send that token, as explain does
where the variable is set on its side. There is no TLS: put a proxy in front
where others can listen.`,
		Example: `  intershap serve-model model.onnx
  INTERSHAP_TOKEN=... intershap serve-model model.onnx --addr :8000 --grpc :8001
  intershap explain http://host:8000/v2/models/model test.npz`,
		Annotations:       map[string]string{ExitCodesNote: "0 stopped by a signal, 1 failed, 2 wrong usage"},
		Args:              wantArgs("MODEL"),
		ValidArgsFunction: completeServed,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.model = args[0]
			if err := refuseEmpty(cmd.Flags(), "addr", "grpc", "name"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runServe(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opt.address, "addr", defaultServeAddress, "`ADDRESS` for HTTP: host:port, :port for all networks, port 0 for any; none for no HTTP")
	flags.StringVar(&opt.grpc, "grpc", noAddress, "`ADDRESS` for gRPC, or none")
	flags.StringVar(&opt.name, "name", "", "`NAME` of the model in URLs (default: of the file)")
	define(flags, &opt.rows, "rows", defaultServeRows, "N", "limit of rows a request", readCount(1))
	flags.StringVar(&opt.library, libraryFlag, "", "`PATH` of ONNX Runtime's library (default: found, see intershap help environment)")
	define(flags, &opt.device, "device", onnx.CPU, "DEVICE", "that computes: cpu, cuda or cuda:N", onnx.ParseDevice)
	define(flags, &opt.options.Workers, "workers", "", "N", "concurrent model calls (default: one a processor)", readCount(1))
	addTimeout(flags, &opt.timeout)
	flags.BoolVar(&opt.json, "json", false, "print the URLs as JSON")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

// noAddress stands for a protocol that is not spoken.
const noAddress = "none"

// completeServed proposes files for MODEL.
func completeServed(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeQuestion(cmd, args, typed)
}

// check refuses what is wrong with the command line alone.
func (o *serveOptions) check() error {
	if err := o.question.check(); err != nil {
		return err
	}
	if o.address == noAddress && o.grpc == noAddress {
		return usagef("--addr none and no --grpc: nobody could ask")
	}
	for _, a := range []struct{ flag, address string }{{"addr", o.address}, {"grpc", o.grpc}} {
		if a.address == noAddress {
			continue
		}
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			fault := usagef("--%s %s: want host:port", a.flag, a.address)
			fault.hint = "write 127.0.0.1:8000 for this machine alone, :8000 for all networks"
			return fault
		}
	}
	if o.name == "" {
		o.name = servedName(o.model)
	}
	if strings.ContainsAny(o.name, "/\\") || o.name == "." || o.name == ".." {
		return usagef("--name %s: want a name without slashes, which can stand in a URL", o.name)
	}
	return nil
}

// servedName returns the name of a file without folder and ending, "model" for a
// command or a server.
func servedName(name string) string {
	if _, command := namesCommand(name); command || serving.IsURL(name) {
		return "model"
	}
	base := filepath.Base(name)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func runServe(ctx context.Context, s *streams, opt *serveOptions) (err error) {
	if err := opt.check(); err != nil {
		return err
	}
	tell := newTeller(s, opt.narration)
	opt.hushed = opt.quiet
	m, err := opt.openModel(ctx, s, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	tell.step("model %s: %s", shownModel(opt.model), m.Runtime())
	described, ok := m.(model.Described)
	if !ok {
		return fmt.Errorf("%s tells no inputs and outputs, so that nobody could be told them", shownModel(opt.model))
	}
	token, _ := s.env.lookup(serving.TokenVariable)
	if err := serving.CheckToken(token); err != nil {
		return &hintedError{err: err, hint: "no client could send it"}
	}
	served, err := server.New(described, server.Options{
		Name: opt.name, Version: m.Digest()[:min(versionDigits, len(m.Digest()))], Platform: m.Runtime(),
		Server: program, ServerVersion: intershap.Version(),
		Rows: opt.rows, Workers: opt.options.Workers, Token: token,
	})
	if err != nil {
		return err
	}
	web, err := listen("addr", opt.address)
	if err != nil {
		return err
	}
	rpc, err := listen("grpc", opt.grpc)
	if err != nil {
		if web != nil {
			err = errors.Join(err, web.Close())
		}
		return err
	}
	if err := opt.announce(s, web, rpc, token != ""); err != nil {
		return err
	}
	return served.Serve(ctx, web, rpc)
}

// listen opens a listener, nil for none.
func listen(flag, address string) (net.Listener, error) {
	if address == noAddress {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &hintedError{err: fmt.Errorf("--%s %s: %w", flag, address, err), hint: "choose another port; 0 is any that is free"}
	}
	return l, nil
}

// announce prints the URLs, and warns of a door that is open to all.
func (o *serveOptions) announce(s *streams, web, rpc net.Listener, guarded bool) error {
	report := serveReport{Model: shownModel(o.model)}
	name := url.PathEscape(o.name)
	open := false
	if web != nil {
		report.HTTP = "http://" + web.Addr().String() + "/v2/models/" + name
		open = open || !loopback(web.Addr())
	}
	if rpc != nil {
		report.GRPC = "grpc://" + rpc.Addr().String() + "/" + name
		open = open || !loopback(rpc.Addr())
	}
	if open && !guarded && !o.quiet {
		if _, err := fmt.Fprintf(s.err, "%s: warning: anybody who reaches this machine can ask the model; set %s to a token\n", program, serving.TokenVariable); err != nil {
			return err
		}
	}
	if o.json {
		return writeJSON(s, report)
	}
	lines := [][2]string{{"model", report.Model}}
	for _, l := range [][2]string{{"http", report.HTTP}, {"grpc", report.GRPC}} {
		if l[1] != "" {
			lines = append(lines, l)
		}
	}
	p := newPage(s, colorNever)
	p.pairs(lines)
	return p.flush()
}

// loopback reports whether an address can be reached from this machine alone.
func loopback(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().IsLoopback()
}
