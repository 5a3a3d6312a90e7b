"""A page that asks questions and answers each in sentences. The pages `verdict` and `monitor` are of this kind."""
