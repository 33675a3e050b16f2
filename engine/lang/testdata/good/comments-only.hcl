# nothing but a comment
/* and
   another one */
// and a third
