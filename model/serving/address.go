package serving

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schemes are how the URLs of models begin.
var Schemes = []string{"http://", "https://", "grpc://", "grpcs://"}

// IsURL reports whether name is the URL of a model, rather than a file.
func IsURL(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(Schemes, func(s string) bool { return strings.HasPrefix(lower, s) })
}

// CheckURL reports why name is no URL of a model that can be asked, without
// asking anybody.
func CheckURL(name string) error {
	_, opt, err := parseAddress(name, Options{})
	if err == nil {
		err = opt.validate()
	}
	return err
}

// A protocol is what a server speaks.
type protocol uint8

const (
	openHTTP protocol = iota + 1
	openGRPC
	tensorFlow
	mlflow
)

// An address is the URL of a model, taken apart.
type address struct {
	protocol protocol
	// shown is the URL as messages have it: without our options and values of the
	// query. full, with those values, is for digests alone.
	shown, full string
	// base is the URL up to where the protocol begins, without a slash at its
	// end; for gRPC the host alone.
	base string
	tls  bool
	// query is what is left of the query, for the server.
	query string
	// name and version of the model, percent decoded; version may be empty.
	name, version string
	// path is the rest behind base, escaped: "v1/models/NAME/labels/L".
	path string
	// encoding and signature are options of single protocols.
	encoding, signature string
}

// forms is the remedy for URLs of no known form.
const forms = "want http://HOST/v2/models/NAME, grpc://HOST/NAME, http://HOST/v1/models/NAME:predict or http://HOST/invocations; https and grpcs for TLS"

func parseAddress(text string, opt Options) (address, Options, error) {
	fault := func(hint, format string, args ...any) (address, Options, error) {
		return address{}, opt, &Error{URL: Shown(text), Err: fmt.Errorf(format, args...), Hint: hint}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fault(forms, "no URL of a model")
	}
	if u.User != nil {
		return fault("set "+TokenVariable+" to a token instead", "a name and a password in a URL would be written into results")
	}
	if u.Fragment != "" {
		return fault("", "a URL of a model has no part behind #")
	}
	a := address{tls: strings.HasSuffix(strings.ToLower(u.Scheme), "s")}
	query := u.Query()
	if err := a.takeOptions(query, &opt); err != nil {
		return fault("", "%w", err)
	}
	a.query = query.Encode()
	u.RawQuery = a.query
	a.full = u.String()
	a.shown = Shown(a.full)
	if scheme := strings.ToLower(u.Scheme); scheme == "grpc" || scheme == "grpcs" {
		if a.query != "" {
			return fault("", "the query %q means nothing here", maskQuery(a.query))
		}
		a.protocol, a.base = openGRPC, u.Host
		if err := a.takeModel(u.EscapedPath()); err != nil {
			return fault("want grpc://HOST:8001/NAME or grpc://HOST:8001/NAME/versions/V", "%w", err)
		}
		return a, opt, nil
	}
	if err := a.takePath(u); err != nil {
		return fault(forms, "%w", err)
	}
	if err := a.checkOptions(); err != nil {
		return fault("", "%w", err)
	}
	return a, opt, nil
}

// takePath finds the protocol in the path of an HTTP URL. What stands before it
// belongs to the server: a gateway may put several under one host.
func (a *address) takePath(u *url.URL) error {
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	host := u.Scheme + "://" + u.Host
	if prefix, ok := strings.CutSuffix(path, "/invocations"); ok {
		a.protocol, a.base, a.path, a.name = mlflow, host+prefix, "invocations", "invocations"
		return nil
	}
	if prefix, rest, ok := strings.Cut(path, "/v2/models/"); ok {
		a.protocol, a.base = openHTTP, host+prefix
		return a.takeModel(strings.TrimSuffix(rest, "/infer"))
	}
	if prefix, rest, ok := strings.Cut(path, "/v1/models/"); ok {
		a.protocol, a.base = tensorFlow, host+prefix
		rest = strings.TrimSuffix(rest, ":predict")
		name, _, _ := strings.Cut(rest, "/")
		if name == "" || strings.Contains(name, ":") {
			return fmt.Errorf("it names no model")
		}
		a.path = "v1/models/" + rest
		var err error
		a.name, err = url.PathUnescape(name)
		return err
	}
	return fmt.Errorf("it names no model of a protocol that is spoken here")
}

// takeModel reads NAME[/versions/V].
func (a *address) takeModel(path string) error {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "" {
		return fmt.Errorf("it names no model")
	}
	if len(parts) != 1 && (len(parts) != 3 || parts[1] != "versions" || parts[2] == "") {
		return fmt.Errorf("behind the name of the model stands %q, want nothing or /versions/V", strings.Join(parts[1:], "/"))
	}
	a.path = "v2/models/" + strings.Join(parts, "/")
	var err error
	if a.name, err = url.PathUnescape(parts[0]); err == nil && len(parts) == 3 {
		a.version, err = url.PathUnescape(parts[2])
	}
	return err
}

// takeOptions takes what is ours out of the query.
func (a *address) takeOptions(query url.Values, opt *Options) error {
	take := func(key string, read func(string) error) error {
		values, found := query[key]
		if !found {
			return nil
		}
		query.Del(key)
		if len(values) != 1 {
			return fmt.Errorf("%s stands in the query %d times", key, len(values))
		}
		if err := read(values[0]); err != nil {
			return fmt.Errorf("%s=%s: %w", key, values[0], err)
		}
		return nil
	}
	number := func(into *int) func(string) error {
		return func(text string) error {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return fmt.Errorf("want a number from 1 on")
			}
			*into = n
			return nil
		}
	}
	word := func(into *string) func(string) error {
		return func(text string) error { *into = text; return nil }
	}
	for _, o := range []struct {
		key  string
		read func(string) error
	}{
		{"rows", number(&opt.Rows)}, {"requests", number(&opt.Requests)}, {"attempts", number(&opt.Attempts)},
		{"timeout", func(text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d <= 0 {
				return fmt.Errorf("want a time such as 30s or 5m")
			}
			opt.Timeout = d
			return nil
		}},
		{"encoding", word(&a.encoding)}, {"signature", word(&a.signature)},
	} {
		if err := take(o.key, o.read); err != nil {
			return err
		}
	}
	return nil
}

// checkOptions refuses options of other protocols, and words that none knows.
func (a *address) checkOptions() error {
	valid := map[protocol][]string{
		tensorFlow: {instances, inputsObject},
		mlflow:     encodings,
		openHTTP:   {encodingBinary, encodingJSON},
	}[a.protocol]
	if a.encoding != "" && !slices.Contains(valid, a.encoding) {
		return fmt.Errorf("encoding=%s: want one of %s", a.encoding, strings.Join(valid, ", "))
	}
	if a.signature != "" && a.protocol != tensorFlow {
		return fmt.Errorf("signature=%s belongs to TensorFlow Serving, http://HOST/v1/models/NAME", a.signature)
	}
	return nil
}

// url returns the URL of a path behind base, with what the query leaves.
func (a *address) url(path string) string {
	out := a.base + "/" + path
	if a.query != "" {
		out += "?" + a.query
	}
	return out
}

// connect makes the transport; nothing is sent yet.
func (a address) connect(opt Options) (transport, error) {
	switch a.protocol {
	case openGRPC:
		return connectGRPC(a, opt)
	case tensorFlow:
		return &tensorFlowTransport{address: a, http: newHTTP(opt)}, nil
	case mlflow:
		return &mlflowTransport{address: a, http: newHTTP(opt), columns: map[string][]string{}}, nil
	}
	return &openHTTPTransport{address: a, http: newHTTP(opt)}, nil
}

// Shown returns the URL of a model as results and messages write it: without name
// and password, without what stands behind #, and with *** for every value of the
// query but those of our options, since a key may be one. A secret in the path
// stays.
func Shown(text string) string {
	u, err := url.Parse(text)
	if err == nil && u.Opaque == "" {
		u.User, u.Fragment, u.RawQuery = nil, "", maskQuery(u.RawQuery)
		return u.String()
	}
	// It is no URL. Whatever may be a password is before the last @.
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	} else {
		scheme += "://"
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	before, query, asked := strings.Cut(rest, "?")
	if asked {
		before += "?" + maskQuery(query)
	}
	return scheme + before
}

// optionKeys are the keys of a query that are ours.
var optionKeys = []string{"rows", "requests", "attempts", "timeout", "encoding", "signature"}

// maskQuery replaces the values of a query that are not ours by ***, and words
// without a key too.
func maskQuery(raw string) string {
	const masked = "***"
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		key, _, found := strings.Cut(part, "=")
		switch {
		case slices.Contains(optionKeys, key):
		case found:
			parts[i] = key + "=" + masked
		case part != "":
			parts[i] = masked
		}
	}
	return strings.Join(parts, "&")
}
