package onnx

import (
	"strings"
	"testing"
)

func TestParseDevice(t *testing.T) {
	tests := []struct{ text, want, reason string }{
		{"", "cpu", "the default"},
		{"cpu", "cpu", "by name"},
		{"cuda", "cuda:0", "the first GPU"},
		{"cuda:3", "cuda:3", "another"},
	}
	for _, tt := range tests {
		if got, err := ParseDevice(tt.text); err != nil || got != tt.want {
			t.Errorf("%q (%s): want %q, got %q, %v", tt.text, tt.reason, tt.want, got, err)
		}
	}
}

func TestParseDeviceErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"gpu", "want cpu, cuda or cuda:N"},
		{"tensorrt", `device "tensorrt": this execution provider is not built in`},
		{"coreml", "not built in"},
		{"directml:0", "not built in"},
		{"CUDA", "want cpu, cuda or cuda:N"},
		{"cpu:0", "want cpu, cuda or cuda:N"},
		{"cuda:", `got ""`},
		{"cuda:-1", `got "-1"`},
		{"cuda:+1", `got "+1"`},
		{"cuda:01", `got "01"`},
		{"cuda:x", `got "x"`},
		{"cuda:2147483648", `got "2147483648"`},
		{"cuda:99999999999999999999", "the number of a GPU"},
	}
	for _, tt := range tests {
		if got, err := ParseDevice(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: want an error with %q, got %q, %v", tt.text, tt.want, got, err)
		}
		if _, err := Open("testdata/dense.onnx", Options{Device: tt.text}); err == nil {
			t.Errorf("%q: want an error of Open, got none", tt.text)
		}
	}
}
