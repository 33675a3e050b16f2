# nothing but a comment; WARNING is told of the file as a whole
# WARNING: Empty playbook
/* and
   another one */
// and a third
