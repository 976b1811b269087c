package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/intershap/intershap/model/serving/oip"
)

// Handler returns what answers over HTTP: GET v2, v2/health/live, v2/health/ready,
// v2/models/NAME[/versions/V], .../ready and .../config, POST .../infer and
// v2/repository/index.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	reply := func(pattern string, answer func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := answer(r)
			if err != nil {
				writeError(w, err)
				return
			}
			writeJSON(w, http.StatusOK, out)
		})
	}
	reply("GET /v2", func(*http.Request) (any, error) { return s.server, nil })
	reply("GET /v2/health/live", func(*http.Request) (any, error) { return map[string]bool{"live": true}, nil })
	reply("GET /v2/health/ready", func(*http.Request) (any, error) { return map[string]bool{"ready": true}, nil })
	reply("POST /v2/repository/index", func(*http.Request) (any, error) {
		return []oip.ModelIndex{{Name: s.opt.Name, Version: s.opt.Version, State: "READY"}}, nil
	})
	for _, path := range []string{"/v2/models/{name}", "/v2/models/{name}/versions/{version}"} {
		found := func(r *http.Request) error { return s.find(r.PathValue("name"), r.PathValue("version")) }
		reply("GET "+path, func(r *http.Request) (any, error) { return s.about, found(r) })
		reply("GET "+path+"/config", func(r *http.Request) (any, error) { return s.config, found(r) })
		reply("GET "+path+"/ready", func(r *http.Request) (any, error) {
			return map[string]any{"name": s.opt.Name, "ready": true}, found(r)
		})
		mux.HandleFunc("POST "+path+"/infer", func(w http.ResponseWriter, r *http.Request) {
			if err := found(r); err != nil {
				writeError(w, err)
				return
			}
			if err := s.inferHTTP(w, r); err != nil {
				writeError(w, err)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &requestError{err: errors.New("no such path; this is a server of the Open Inference Protocol, see GET v2"), missing: true})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.authorized(r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeJSON(w, http.StatusUnauthorized, oip.ErrorBody{Error: errToken.Error()})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) inferHTTP(w http.ResponseWriter, r *http.Request) error {
	select {
	case s.bodies <- struct{}{}:
	case <-r.Context().Done():
		return context.Cause(r.Context())
	}
	defer func() { <-s.bodies }()
	data, err := oip.ReadAll(http.MaxBytesReader(w, r.Body, s.opt.Bytes), r.ContentLength, s.opt.Bytes)
	if err != nil {
		return err
	}
	body := oip.Body{Data: data}
	if text := r.Header.Get(oip.HeaderLength); text != "" {
		if body.Header, err = strconv.Atoi(text); err != nil || body.Header < 1 {
			return badRequest("%s: want a number above 0, got %q", oip.HeaderLength, text)
		}
	}
	request, err := oip.DecodeRequest(body)
	if err != nil {
		return badRequest("%w", err)
	}
	response, err := s.infer(r.Context(), request)
	if err != nil {
		return err
	}
	out, err := response.Encode(request)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", out.ContentType())
	if out.Header > 0 {
		w.Header().Set(oip.HeaderLength, strconv.Itoa(out.Header))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out.Data)))
	// Nobody is left to be told when the client is gone.
	_, _ = w.Write(out.Data)
	return nil
}

// writeError writes an error with the status of its kind.
func writeError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var (
		request *requestError
		long    *http.MaxBytesError
	)
	switch {
	case errors.As(err, &request) && request.missing:
		status = http.StatusNotFound
	case errors.As(err, &request):
		status = http.StatusBadRequest
	case errors.As(err, &long):
		status = http.StatusRequestEntityTooLarge
	}
	writeJSON(w, status, oip.ErrorBody{Error: err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer has no JSON form"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // as above
}
