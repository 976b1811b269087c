// Command man writes the manual pages and shell completions of intershap:
//
//	go run ./internal/man -o DIR
//
// fills DIR/man1 and DIR/completions. It is a program of its own so that what
// it needs to write manual pages is not linked into the tool. SOURCE_DATE_EPOCH,
// in seconds, dates the pages; without it they bear the date 1970-01-01, and are
// the same whenever they are made.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/intershap/intershap/internal/cli"
)

func main() {
	out := flag.String("o", "", "`folder` to write to")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*out, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// generate writes everything below dir. epoch is the date in seconds since
// 1970, or "".
func generate(dir, epoch string) error {
	var date time.Time
	if epoch == "" {
		epoch = "0"
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: want seconds since 1970, got %q", epoch)
	}
	date = time.Unix(seconds, 0).UTC()
	pages := filepath.Join(dir, "man1")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return err
	}
	root := cli.NewCommand()
	root.DisableAutoGenTag = true
	addExitCodes(root)
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "intershap", Manual: "intershap manual", Date: &date}, pages); err != nil {
		return err
	}
	return completions(root, filepath.Join(dir, "completions"))
}

// addExitCodes puts the exit codes, which help prints last, into the text.
func addExitCodes(cmd *cobra.Command) {
	cmd.Long += "\n\nExit codes: " + cmd.Annotations[cli.ExitCodesNote] + "."
	for _, c := range cmd.Commands() {
		addExitCodes(c)
	}
}

func completions(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	const withDescriptions = true
	for name, write := range map[string]func(io.Writer) error{
		"intershap.bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, withDescriptions) },
		"_intershap":     root.GenZshCompletion,
		"intershap.fish": func(w io.Writer) error { return root.GenFishCompletion(w, withDescriptions) },
		"intershap.ps1":  root.GenPowerShellCompletionWithDesc,
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := write(f); err != nil {
			f.Close() // the error above says more
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
