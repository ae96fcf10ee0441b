/** The package has no types. */
declare module "@modelcontextprotocol/server-everything/dist/*";
