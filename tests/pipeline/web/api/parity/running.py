"""Commands that run the installation itself, or carry its files."""

WITHOUT = {
    "demo": "shows everything at work on a machine of one's own",
    "export": "writes a file on the machine of the installation",
    "help": "is about the command line",
    "import": "reads files and folders of the machine of the installation",
    "once": "runs in the place of the programs, which serve the API",
    "publish": "is what the program `publisher` does as soon as something happens",
    "up": "runs the programs, which serve the API",
}
