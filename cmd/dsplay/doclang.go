package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// functionsWord is what dsplay doc is asked for functions with.
const functionsWord = "functions"

func (a *app) docBlock(b lang.BlockDoc) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s … }\n\n%s\n", b.Usage, b.Doc)
	if len(b.Args) > 0 {
		fmt.Fprint(w, "\nArguments\n")
	}
	for _, arg := range b.Args {
		notes := arg.Type
		switch {
		case arg.Required:
			notes += ", required"
		case arg.Default != "":
			notes += ", default " + arg.Default
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", arg.Name, notes, arg.Doc)
	}
	if b.More != "" {
		fmt.Fprintf(w, "\nBesides: %s\n", b.More)
	}
	if len(b.Blocks) > 0 {
		fmt.Fprintf(w, "\nBlocks: %s\n", strings.Join(b.Blocks, ", "))
	}
	return w.Flush()
}

// docFunctions lists all functions, or explains one.
func (a *app) docFunctions(names []string, markdown bool) error {
	docs := decode.Describe()
	switch {
	case markdown:
		functionsPage(a.out, docs)
		return nil
	case len(names) == 0:
		return a.listFunctions(docs)
	}
	if i := slices.IndexFunc(docs, func(d decode.FunctionDoc) bool { return d.Name == names[0] }); i >= 0 {
		return a.docFunction(docs[i])
	}
	if why := decode.NotHere(names[0]); why != "" {
		return fmt.Errorf("Terraform's %s() is left out. %s", names[0], why) //nolint:staticcheck // it begins with a name
	}
	var known []string
	for _, d := range docs {
		known = append(known, d.Name)
	}
	return fmt.Errorf("there is no function %q.%s dsplay doc %s lists them", names[0], decode.Suggest(names[0], known), functionsWord)
}

func (a *app) docFunction(d decode.FunctionDoc) error {
	fmt.Fprintf(a.out, "%s\n\n%s\n\n  %s\n  = %s\n", d.Signature, d.Doc, d.Example, d.Result)
	if d.Differs != "" {
		fmt.Fprintf(a.out, "\nUnlike in Terraform: %s\n", d.Differs)
	}
	return nil
}

func (a *app) listFunctions(docs []decode.FunctionDoc) error {
	group := ""
	for _, d := range docs {
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(a.out, "\n%s\n", groupTitles[group])
		}
		if _, err := fmt.Fprintf(a.out, "  %s\n      %s\n", d.Signature, d.Doc); err != nil {
			return err
		}
	}
	return nil
}
