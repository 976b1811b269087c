package serving

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/intershap/intershap/model/serving/server"
)

// TestAddresses reads URLs.
func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		url                       string
		protocol                  protocol
		base, path, name, version string
		shown                     string // "" for the URL itself
	}{
		{"http://h:8000/v2/models/m", openHTTP, "http://h:8000", "v2/models/m", "m", "", ""},
		{"https://h/gate/way/v2/models/m/versions/3", openHTTP, "https://h/gate/way", "v2/models/m/versions/3", "m", "3", ""},
		{"http://h/v2/models/a%20b/infer?rows=3", openHTTP, "http://h", "v2/models/a%20b", "a b", "", "http://h/v2/models/a%20b/infer"},
		{"grpc://h:8001/m", openGRPC, "h:8001", "v2/models/m", "m", "", ""},
		{"GRPCS://h:8001/m/versions/2?timeout=5s", openGRPC, "h:8001", "v2/models/m/versions/2", "m", "2", "grpcs://h:8001/m/versions/2"},
		{"http://h/v1/models/m", tensorFlow, "http://h", "v1/models/m", "m", "", ""},
		{"http://h/v1/models/m:predict", tensorFlow, "http://h", "v1/models/m", "m", "", ""},
		{"http://h/v1/models/m/versions/2:predict?signature=s", tensorFlow, "http://h", "v1/models/m/versions/2", "m", "", "http://h/v1/models/m/versions/2:predict"},
		{"http://h:5000/invocations?encoding=inputs&key=1", mlflow, "http://h:5000", "invocations", "invocations", "", "http://h:5000/invocations?key=***"},
		{"http://h/endpoint/x/invocations/", mlflow, "http://h/endpoint/x", "invocations", "invocations", "", ""},
	} {
		a, _, err := parseAddress(tt.url, Options{})
		shown := tt.shown
		if shown == "" {
			shown = tt.url
		}
		if err != nil || a.protocol != tt.protocol || a.base != tt.base || a.path != tt.path || a.name != tt.name || a.version != tt.version || a.shown != shown {
			t.Errorf("%s: got %+v, %v", tt.url, a, err)
		}
	}
	for text, want := range map[string]string{
		"http://h/v2/models/m?api_key=HUSH&rows=3&b=HUSH": "http://h/v2/models/m?api_key=***&rows=3&b=***",
		"http://h/v2/models/m?HUSH":                       "http://h/v2/models/m?***",
		"http://me:HUSH@h/v2/models/m?rows=3#HUSH":        "http://h/v2/models/m?rows=3",
		"http://me:HU/SH@h/v2/models/m?x=HUSH":            "http://h/v2/models/m?x=***", // no URL: a port of letters
		"http://h/v2/models/a%20b/versions/3":             "http://h/v2/models/a%20b/versions/3",
		"grpc://h:1/m?token=HUSH":                         "grpc://h:1/m?token=***",
		"http://me:HUSH@[::1/v2/models/m":                 "http://[::1/v2/models/m",
	} {
		if got := Shown(text); got != want {
			t.Errorf("%s: want it shown as %s, got %s", text, want, got)
		}
		if err := CheckURL(text); err != nil && strings.Contains(err.Error(), "HUSH") {
			t.Errorf("%s: the secret is in the error: %v", text, err)
		}
	}
	for _, key := range optionKeys {
		a, b := url.Values{key: {"1m"}}, Options{}
		if err := new(address).takeOptions(a, &b); err == nil && len(a) > 0 {
			t.Errorf("%s is none of our options", key)
		}
	}
	a, opt, err := parseAddress("http://h/v2/models/m?rows=3&requests=4&attempts=5&timeout=6s&encoding=json&key=v", Options{Rows: 9})
	if err != nil || opt.Rows != 3 || opt.Requests != 4 || opt.Attempts != 5 || opt.Timeout.Seconds() != 6 || a.encoding != "json" || a.url("v2") != "http://h/v2?key=v" {
		t.Errorf("got %+v, %+v, %v", a, opt, err)
	}
}

func TestBadAddresses(t *testing.T) {
	for url, want := range map[string]string{
		"http://":                             "no URL",
		"http://h":                            "names no model",
		"http://h/v2/models/":                 "names no model",
		"http://h/v2/models/m/3":              "want nothing or /versions/V",
		"http://h/v1/models/:predict":         "names no model",
		"http://h/v1/models/m:classify":       "names no model",
		"http://h/predict":                    "names no model",
		"grpc://h:1":                          "names no model",
		"grpc://h:1/m?x=1":                    "means nothing",
		"http://u:secret@h/v2/models/m":       "a password in a URL",
		"http://h/v2/models/m#x":              "behind #",
		"http://h/v2/models/m?rows=0":         "want a number from 1 on",
		"http://h/v2/models/m?rows=1&rows=2":  "2 times",
		"http://h/v2/models/m?timeout=5":      "want a time",
		"http://h/v2/models/m?timeout=-5s":    "want a time",
		"http://h/v2/models/m?encoding=csv":   "want one of binary, json",
		"http://h/invocations?encoding=json":  "want one of dataframe_split",
		"http://h/v2/models/m?signature=x":    "belongs to TensorFlow Serving",
		"http://h/v1/models/m?encoding=split": "want one of instances, inputs",
	} {
		err := CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v", url, want, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is in the error: %v", url, err)
		}
	}
	if !IsURL("GRPC://h/m") || IsURL("http.onnx") || IsURL("model.onnx") {
		t.Error("want URLs told from files by how they begin")
	}
}

// TestOpenErrors opens what cannot be opened.
func TestOpenErrors(t *testing.T) {
	// A reserved port: no other test's listener can get it meanwhile.
	const gone = "127.0.0.1:1"
	urls := serve(t, triple(), server.Options{Version: "1"}, nil)
	guarded := serve(t, triple(), server.Options{Token: "s3cret"}, nil)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	t.Cleanup(page.Close)
	other := func(url, name string) string {
		return strings.Replace(strings.Replace(url, "models/m", "models/"+name, 1), "/m", "/"+name, 1)
	}
	for _, tt := range []struct{ name, url, want, hint string }{
		{"nobody, HTTP", "http://" + gone + "/v2/models/m", "refused", "is the server running"},
		{"nobody, gRPC", "grpc://" + gone + "/m", "refused", "is the server running"},
		{"nobody, MLflow", "http://" + gone + "/invocations", "refused", "is the server running"},
		{"nobody, v1", "http://" + gone + "/v1/models/m", "refused", "is the server running"},
		{"another model, HTTP", strings.Replace(urls["binary"], "/models/m", "/models/q", 1), `no model "q"`, "the server has: m"},
		{"another model, gRPC", other(urls["grpc"], "q"), `no model "q"`, "the server has: m"},
		{"another version", urls["grpc"] + "/versions/9", `no version "9" of model "m"; this server has "1"`, ""},
		{"HTTP to a port of gRPC", "http://" + strings.TrimSuffix(strings.TrimPrefix(urls["grpc"], "grpc://"), "/m") + "/v2/models/m", "HTTP", "grpc://HOST:PORT/NAME"},
		{"no token, HTTP", guarded["json"], "401 Unauthorized", TokenVariable},
		{"no token, gRPC", guarded["grpc"], "Unauthenticated", TokenVariable},
		{"a web page", page.URL + "/v2/models/m", "no JSON", ""},
		{"v1 at a v2 server", strings.Replace(urls["binary"], "/v2/", "/v1/", 1), "404", ""},
		{"HTTP at a gRPC port", "http" + strings.TrimPrefix(strings.Replace(urls["grpc"], "/m", "/v2/models/m", 1), "grpc"), "", ""},
		{"TLS at a plain port", strings.Replace(urls["binary"], "http", "https", 1), "", "speaks no TLS"},
	} {
		m, err := Open(t.Context(), tt.url, quick())
		if err == nil {
			t.Errorf("%s: want an error, got %v", tt.name, errors.Join(m.Close()))
			continue
		}
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%s: want %q and the hint %q, got %v, hint %q", tt.name, tt.want, tt.hint, err, e.Hint)
		}
		if e != nil && e.Attempts > openAttempts {
			t.Errorf("%s: %d attempts to open", tt.name, e.Attempts)
		}
	}
}

// TestUnsendableToken holds that a token that no header carries is an error at once,
// and stays a secret.
func TestUnsendableToken(t *testing.T) {
	for _, token := range []string{"quiet\n", "\rquiet", "quiet quiet", "quietÜ", "quiet\x00"} {
		for _, url := range []string{"http://127.0.0.1:1/v2/models/m", "grpc://127.0.0.1:1/m"} {
			opt := quick()
			opt.Token = token
			_, err := Open(t.Context(), url, opt)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "the token in "+TokenVariable+" has a blank") || e.Hint == "" || strings.Contains(err.Error(), "quiet") {
				t.Errorf("%q, %s: got %v", token, url, err)
			}
		}
	}
	if err := CheckToken("abc.DEF-_~+/=123"); err != nil {
		t.Errorf("want a token of visible ASCII taken, got %v", err)
	}
}

// TestToken asks servers that want a token.
func TestToken(t *testing.T) {
	urls := serve(t, triple(), server.Options{Token: "s3cret"}, nil)
	for _, name := range transports {
		opt := quick()
		opt.Token = "s3cret"
		if _, err := openRemote(t, urls[name], opt).Predict(t.Context(), tripleRows(1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		opt.Token = "other"
		if _, err := Open(t.Context(), urls[name], opt); err == nil || strings.Contains(err.Error(), "other") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: want an error without tokens, got %v", name, err)
		}
	}
}

// TestTLS asks servers whose certificate nobody here vouches for, then one that is
// trusted. Trust is put into the client here, since the roots of a process are
// read but once.
func TestTLS(t *testing.T) {
	s, err := server.New(triple(), server.Options{Name: "m"})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(s.Handler())
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of clients that do not trust it
	web.StartTLS()
	t.Cleanup(web.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rpc := s.NewGRPC(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12})))
	go func() { _ = rpc.Serve(listener) }()
	t.Cleanup(rpc.Stop)

	_, err = Open(t.Context(), web.URL+"/v2/models/m", quick())
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "SSL_CERT_FILE") || e.Attempts != 1 {
		t.Errorf("want an error about the certificate, got %v", err)
	}
	if _, err := Open(t.Context(), "grpcs://"+listener.Addr().String()+"/m", quick()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("want an error about the certificate, got %v", err)
	}
	h := newHTTP(quick())
	h.client.Transport.(*http.Transport).TLSClientConfig = web.Client().Transport.(*http.Transport).TLSClientConfig
	a, opt, err := parseAddress(web.URL+"/v2/models/m", quick())
	if err != nil {
		t.Fatal(err)
	}
	m, err := open(t.Context(), a, opt.withDefaults(), &openHTTPTransport{address: a, http: h})
	if err != nil {
		t.Fatal(err)
	}
	want, err := triple().Predict(t.Context(), tripleRows(3))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Predict(t.Context(), tripleRows(3))
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameBatch(want, got); diff != "" {
		t.Error(diff)
	}
}
