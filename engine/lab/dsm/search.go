package dsm

import (
	"fmt"
	"regexp"
	"strings"
)

const maxItems = 5000

// searchFilter is the body of POST /computers/search. Criteria are ANDed.
type searchFilter struct {
	MaxItems       int         `json:"maxItems"`
	SearchCriteria []criterion `json:"searchCriteria"`
}

type criterion struct {
	IDTest          string `json:"idTest"`
	IDValue         int    `json:"idValue"`
	FieldName       string `json:"fieldName"`
	StringTest      string `json:"stringTest"`
	StringValue     string `json:"stringValue"`
	StringWildcards bool   `json:"stringWildcards"`
}

// apply gives the computers that fit, in the order of their IDs, at most MaxItems (and never more than 5000) of them.
// Statuses are not searchable, as in DSM.
func (f searchFilter) apply(all []Computer) ([]Computer, error) {
	limit := f.MaxItems
	if limit <= 0 || limit > maxItems {
		limit = maxItems
	}
	var found []Computer
	for _, c := range all {
		ok, err := f.fits(c)
		if err != nil {
			return nil, err
		}
		if ok && len(found) < limit {
			found = append(found, c)
		}
	}
	return found, nil
}

func (f searchFilter) fits(c Computer) (bool, error) {
	for _, crit := range f.SearchCriteria {
		if ok, err := crit.fits(c); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (crit criterion) fits(c Computer) (bool, error) {
	switch {
	case crit.IDTest != "":
		return compare(crit.IDTest, c.ID, crit.IDValue)
	case crit.StringTest != "":
		return crit.matches(c)
	}
	return false, fmt.Errorf("the search criterion has no test that is supported for %q", crit.FieldName)
}

func compare(test string, a, b int) (bool, error) {
	switch test {
	case "less-than":
		return a < b, nil
	case "less-than-or-equal":
		return a <= b, nil
	case "equal":
		return a == b, nil
	case "greater-than-or-equal":
		return a >= b, nil
	case "greater-than":
		return a > b, nil
	case "not-equal":
		return a != b, nil
	}
	return false, fmt.Errorf("invalid idTest: %s", test)
}

func (crit criterion) matches(c Computer) (bool, error) {
	fields := map[string]string{"hostName": c.Name, "displayName": c.Display, "platform": c.Platform, "biosUUID": c.BIOSUUID,
		"vmwareVMVirtualMachineSummary/biosUUID": c.BIOSUUID}
	value, ok := fields[crit.FieldName]
	if !ok {
		return false, fmt.Errorf("the field %q is not searchable", crit.FieldName)
	}
	equal := strings.EqualFold(value, crit.StringValue)
	if crit.StringWildcards {
		equal = wildcards(crit.StringValue).MatchString(value)
	}
	return equal == (crit.StringTest == "equal"), nil
}

// wildcards makes a pattern of SQL's % and _.
func wildcards(s string) *regexp.Regexp {
	s = regexp.QuoteMeta(s)
	s = strings.NewReplacer("%", ".*", "_", ".").Replace(s)
	return regexp.MustCompile("(?is)^" + s + "$")
}
