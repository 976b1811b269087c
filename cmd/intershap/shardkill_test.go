package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// A shard that is killed and goes on from its checkpoint merges with the others to the
// result of a run that was neither cut nor killed.
func TestKilledShardGoesOn(t *testing.T) {
	const size, of = "150", 3
	alone := newTool(t, size)
	alone.finish(t)
	want := alone.results(t)[outName]

	dir := t.TempDir()
	merge := []string{"merge", "-o", outName, "--quiet"}
	for k := 1; k <= of; k++ {
		c := newTool(t, size)
		c.args = append(slices.Clone(c.args), "--shard", fmt.Sprintf("%d/%d", k, of))
		if k == 2 {
			whole := c.tilesOf(t)
			c.anew(t)
			if !c.kill(t, c.whenTiles(t, whole/2)) {
				t.Fatal("the shard ended before it was killed")
			}
			if found := c.tiles(t); found >= whole {
				t.Errorf("the killed shard has all %d tiles", whole)
			}
		}
		c.finish(t)
		merge = append(merge, filepath.Join(c.dir, outName))
	}
	cmd := exec.CommandContext(t.Context(), "intershap", merge...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	raw, err := os.ReadFile(filepath.Join(dir, outName))
	if err != nil {
		t.Fatal(err)
	}
	got := secondsLine.ReplaceAllString(string(raw), "")
	// The run wrote samples, which shards write by themselves.
	blank := func(text string) string {
		return samplesText.ReplaceAllString(commandText.ReplaceAllString(text, ""), "")
	}
	if at := difference(blank(want), blank(got)); at != "" {
		t.Errorf("shards, one of which was killed, merge to another result: %s", at)
	}
}

// tilesOf runs the tool to its end and counts the tiles that it has kept.
func (c tool) tilesOf(t *testing.T) int {
	t.Helper()
	c.finish(t)
	return c.tiles(t)
}
