package serving

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/intershap/intershap/model/serving/oip"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 30

// An httpCaller sends requests. Proxies are those of the environment, roots of
// trust those of the system, or of SSL_CERT_FILE.
type httpCaller struct {
	client *http.Client
	token  string
}

func newHTTP(opt Options) *httpCaller {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// By default two connections stay open, and all others are made anew.
	transport.MaxIdleConnsPerHost = opt.Requests
	return &httpCaller{token: opt.Token, client: &http.Client{
		Transport: transport,
		// A POST that is sent elsewhere becomes a GET, and a token does not
		// belong to just anybody.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (h *httpCaller) close() error {
	h.client.CloseIdleConnections()
	return nil
}

// An answer is an HTTP answer, read to its end.
type answer struct {
	status int
	header http.Header
	data   []byte
}

// body takes the binary extension's header into account.
func (a answer) body() (oip.Body, error) {
	text := a.header.Get(oip.HeaderLength)
	if text == "" {
		return oip.Body{Data: a.data}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return oip.Body{}, fmt.Errorf("the answer has %s: %q, want a number above 0", oip.HeaderLength, text)
	}
	return oip.Body{Data: a.data, Header: n}, nil
}

// get asks for JSON. A status other than 200 is a failure.
func (h *httpCaller) get(ctx context.Context, url string, into any) (answer, error) {
	a, err := h.send(ctx, http.MethodGet, url, oip.Body{})
	if err != nil {
		return a, err
	}
	if err := oip.ReadJSON(a.data, into); err != nil {
		return a, malformed(err)
	}
	return a, nil
}

func (h *httpCaller) post(ctx context.Context, url string, body oip.Body) (answer, error) {
	return h.send(ctx, http.MethodPost, url, body)
}

// send makes one attempt. The error is a *failure, or that of ctx.
func (h *httpCaller) send(ctx context.Context, method, url string, body oip.Body) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body.Data))
	if err != nil {
		return answer{}, lasting("", "%w", err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", body.ContentType())
		if body.Header > 0 {
			request.Header.Set(oip.HeaderLength, strconv.Itoa(body.Header))
		}
	}
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return answer{}, lost(err)
	}
	defer response.Body.Close()
	data, err := oip.ReadAll(response.Body, response.ContentLength, maxAnswer)
	a := answer{status: response.StatusCode, header: response.Header, data: data}
	switch {
	case err != nil:
		return a, passing("the answer was cut off after %d bytes: %w", len(data), err)
	case len(data) > maxAnswer:
		return a, lasting(rowsHint, "the answer is longer than %d bytes", maxAnswer)
	case response.StatusCode != http.StatusOK:
		return a, refused(a)
	}
	return a, nil
}

// lost says why there is no answer at all.
func lost(err error) *failure {
	var (
		name        *net.DNSError
		unverified  *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		invalid     x509.CertificateInvalidError
		noConnect   *net.OpError
		alertClosed = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	)
	// net/http names the method and the URL, which stand in the error already.
	inner := err
	if u := errors.Unwrap(err); u != nil {
		inner = u
	}
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return lasting("look at the name of the host", "%w", inner)
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return lasting("set SSL_CERT_FILE to the certificate of the authority that signed the server's", "%w", inner)
	case errors.As(err, &notTLS), errors.Is(err, http.ErrSchemeMismatch):
		return lasting("the server speaks no TLS there: use http://, or another port", "%w", inner)
	case alertClosed:
		return passing("the server closed the connection without an answer: %w", inner)
	case errors.As(err, &noConnect) && noConnect.Op == "dial":
		f := passing("%w", inner)
		f.hint = "is the server running there, and the port the right one?"
		return f
	case errors.As(err, &noConnect):
		return passing("%w", inner)
	}
	// What answers is no HTTP. A server that speaks first is met while the connection is
	// idle, for which net/http has words that nobody understands.
	f := passing("%w", inner)
	if strings.Contains(inner.Error(), "readLoopPeekFailLocked") {
		f = passing("the server does not speak HTTP: it sent something before it was asked")
	}
	f.hint = "does the server speak HTTP on this port? One that speaks gRPC is grpc://HOST:PORT/NAME"
	return f
}

// refused makes a failure of an answer that is none.
func refused(a answer) *failure {
	f := &failure{err: fmt.Errorf("the server answers %s%s", statusText(a.status), said(a.data)), status: a.status}
	switch a.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		f.hint = tokenHint
	case http.StatusRequestEntityTooLarge:
		f.hint = rowsHint
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.again, f.after = true, retryAfter(a.header.Get("Retry-After"))
	case http.StatusNotFound, http.StatusMethodNotAllowed:
	default:
		if to := a.header.Get("Location"); a.status/100 == 3 && to != "" {
			f.hint = "use the URL that it names: " + Shown(to)
			break
		}
		f.rows = true // 400 and 500, and what servers make of them
	}
	return f
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return strconv.Itoa(status)
}

// retryAfter reads the header, seconds or a date; 0 without.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(longestAsked/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// said returns what the body of an error says, behind a colon: the text that
// servers put under "error", "message" or "detail", else the beginning.
func said(data []byte) string {
	const longest = 500
	text := strings.TrimSpace(string(data))
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) == nil {
		for _, key := range []string{"error", "message", "detail"} {
			var inner string
			if json.Unmarshal(fields[key], &inner) == nil && inner != "" {
				text = inner
				break
			}
		}
	}
	if text == "" {
		return ""
	}
	if !utf8.ValidString(text) {
		return fmt.Sprintf(": %d bytes that are no text", len(data))
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return ": " + text
}

// malformed is the failure of an answer that cannot be read: one that ends too
// soon may come whole another time.
func malformed(err error) *failure {
	f := lasting("", "the answer cannot be read: %w", err)
	f.again = errors.Is(err, io.ErrUnexpectedEOF)
	return f
}
