package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/dataset"
)

// maxCompletedCSV is the largest CSV file whose columns are looked up: it is read whole.
const maxCompletedCSV = 4 << 20

// dataColumns returns the columns of DATA, where it was typed already and opens in no
// time; nil otherwise. What keeps it from being opened will be told when the command runs.
func dataColumns(cmd *cobra.Command, args []string) []dataset.Column {
	if len(args) < 2 {
		return nil
	}
	info, err := os.Stat(args[1])
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCompleted {
		return nil // folders have a file for each part
	}
	if strings.EqualFold(filepath.Ext(args[1]), ".csv") && info.Size() > maxCompletedCSV {
		return nil
	}
	file, err := dataset.Open(cmd.Context(), args[1])
	if err != nil {
		return nil
	}
	columns := file.Columns()
	_ = file.Close() // it was only looked at
	return columns
}

// offerable reports whether a name can be typed as it is: shells read others in part.
func offerable(name string) bool { return quoteShell(name) == name && !strings.Contains(name, "=") }

// singleColumns names the columns of one value a row.
func singleColumns(columns []dataset.Column) []string {
	var names []string
	for _, c := range columns {
		if c.Refused == nil && c.RowLen() == 1 && offerable(c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// completeColumn proposes columns of DATA that have one value a row.
func completeColumn(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completeWords(singleColumns(dataColumns(cmd, args))...)(cmd, args, typed)
}

// completeBy proposes columns, behind a comma those that are not crossed yet.
func completeBy(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndex(typed, ",")+1]
	var words []string
	for _, name := range singleColumns(dataColumns(cmd, args)) {
		if !strings.Contains(name, ",") && !strings.Contains(","+before, ","+name+",") {
			words = append(words, before+name)
		}
	}
	return completeWords(words...)(cmd, args, typed)
}

// completeMissing proposes the modalities that --modality names and those whose column
// MODALITY_available the data have; behind a "=" columns.
func completeMissing(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	columns := dataColumns(cmd, args)
	var words []string
	add := func(word string) {
		if offerable(strings.Replace(word, "=", "", 1)) && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if modality, _, named := strings.Cut(typed, "="); named {
		for _, name := range singleColumns(columns) {
			add(modality + "=" + name)
		}
		return completeWords(words...)(cmd, args, typed)
	}
	specs, err := cmd.Flags().GetStringArray("modality")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, spec := range specs {
		name, _, _ := strings.Cut(spec, "=")
		add(strings.TrimSpace(name))
	}
	for _, c := range columns {
		if name, ok := strings.CutSuffix(c.Name, "_available"); ok && name != "" {
			add(name)
		}
	}
	return completeWords(words...)(cmd, args, typed)
}

// completePad proposes the lists of DATA.
func completePad(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, c := range dataColumns(cmd, args) {
		if len(c.Shape) > 0 && offerable(c.Name) {
			words = append(words, c.Name+"=")
		}
	}
	return completeWords(words...)(cmd, args, typed)
}
