"""Mistakes in the document, its keys and its values: what is written, what is said of it."""

HEAD = (
    "version: 1\nfunctions:\n  hello:\n    code: code\n    runtime: python3.13\n    handler: a.b\n"
)
CASES = {
    # the document
    "empty": ("", ["1:1: the file is empty (hint: begin with `version: 1`)"]),
    "comment only": ("# x\n", ["2:1: the file is empty (hint: begin with `version: 1`)"]),
    "a list": (
        "- a\n",
        ["1:1: a manifest is a mapping of keys to values (hint: begin with `version: 1`)"],
    ),
    "two documents": (
        HEAD + "---\na: 1\n",
        ["7:1: a second YAML document begins here (hint: keep one document in a manifest)"],
    ),
    "tab": (
        "version: 1\n\tfunctions: {}\n",
        ["2:1: a tab cannot indent YAML (hint: use spaces for indentation)"],
    ),
    "colon in a value": (
        "version: 1\ndescription: a: b\n",
        [
            "2:15: not valid YAML: mapping values are not allowed in this context (hint:"
            " a value that contains `: ` needs quotes, and keys of one mapping the same indent)"
        ],
    ),
    "at sign": (
        "version: 1\nregion: @home\n",
        [
            "2:9: not valid YAML: found character that cannot start any token while scanning"
            " for the next token (hint: put quotes around a value that starts with `@`)"
        ],
    ),
    "control character": (
        "version: 1\nregion: \x07\n",
        ["2:9: the control character U+0007 is not allowed in YAML (hint: delete it)"],
    ),
    "escaped NUL": (
        HEAD + '    description: "\\0"\n',
        ["7:18: NUL and lone surrogates cannot be used in text"],
    ),
    "python tag": (
        HEAD + "    description: !!python/object/apply:os.system [id]\n",
        [
            "7:18: the tag `!!python/object/apply:os.system` is not allowed"
            " (hint: write the value without it)"
        ],
    ),
    "CloudFormation tag": (
        HEAD + "    description: !Ref x\n",
        [
            "7:18: the tag `!Ref` is not allowed (hint: CloudFormation's functions are not"
            " read here; write the value itself)"
        ],
    ),
    "duplicate key": (
        HEAD + "    handler: c.d\n",
        ["7:5: the key `handler` stands here a second time (hint: it is first on line 6)"],
    ),
    "two merge keys": (
        "version: 1\ndefaults: &d {timeout: 3}\nfunctions: {f: {<<: *d, <<: *d, image: x}}\n",
        ["3:25: the key `<<` stands here a second time (hint: it is first on line 3)"],
    ),
    "merging text": (
        HEAD + "    <<: x\n",
        [
            "7:9: `<<` merges a mapping or a list of mappings"
            " (hint: write `<<: *anchor`, where the anchor names a mapping)"
        ],
    ),
    "unknown alias": (
        HEAD + "    description: *text\n",
        [
            "7:18: no anchor `&text` above"
            " (hint: an alias (`*name`) repeats a value marked `&name` before it)"
        ],
    ),
    "recursive alias": (
        "version: 1\nfunctions: &f {a: *f}\n",
        ["2:19: `*f` stands inside the value it repeats"],
    ),
    "a key that is a list": (
        HEAD + "    ? [a]\n    : b\n",
        ["7:7: a key must be plain text, not a list or a mapping"],
    ),
    # keys
    "nothing required": (
        "region: eu-west-1\n",
        [
            "1:1: `functions` is missing (hint: add `functions: {NAME: {code: ./folder, ...}}`)",
            "1:1: `version` is missing (hint: add `version: 1`)",
        ],
    ),
    "unknown key": (HEAD + "    xyzzy: 1\n", ["7:5: unknown key `xyzzy`"]),
    "misspelt key": (
        HEAD + "    memory_siez: 128\n",
        ["7:5: unknown key `memory_siez` (hint: did you mean `memory_size`?)"],
    ),
    "AWS's own spelling": (
        HEAD + "    MemorySize: 128\n",
        ["7:5: unknown key `MemorySize` (hint: did you mean `memory_size`?)"],
    ),
    "a function's key at the top": (
        HEAD + "timeout: 3\n",
        [
            "7:1: unknown key `timeout` (hint: it belongs in a function, or in `defaults` for"
            " all of them)"
        ],
    ),
    "a function's own key at the top": (
        HEAD + "code: x\n",
        ["7:1: unknown key `code` (hint: it belongs in a function: `functions: {NAME: {...}}`)"],
    ),
    "a function's own key in defaults": (
        HEAD + "defaults: {image: x}\n",
        ["7:12: unknown key `image` (hint: it belongs in each function)"],
    ),
    "env_file in defaults": (
        HEAD + "defaults: {env_file: x}\n",
        [
            "7:12: unknown key `env_file` (hint: it belongs in each function; at the top of the"
            " manifest it is for all of them)"
        ],
    ),
    "the top's key in a function": (
        HEAD + "    region: eu-west-1\n",
        ["7:5: unknown key `region` (hint: it belongs at the top of the manifest)"],
    ),
    "misspelt limit": (
        HEAD + "limits: {concurrent_execution: 5}\n",
        ["7:10: unknown key `concurrent_execution` (hint: did you mean `concurrent_executions`?)"],
    ),
    # values
    "version": (
        "version: 2\nfunctions: {}\n",
        ["1:10: `version` must be 1, not the number 2 (hint: 1 is the only version there is)"],
    ),
    "version as a boolean": (
        "version: true\nfunctions: {}\n",
        ["1:10: `version` must be 1, not the boolean true (hint: 1 is the only version there is)"],
    ),
    "version as a mapping": (
        "version: {}\nfunctions: {}\n",
        ["1:10: `version` must be 1, not a mapping (hint: 1 is the only version there is)"],
    ),
    "image with a space": (
        "version: 1\nfunctions: {f: {image: ' x'}}\n",
        [
            "2:24: `image` cannot be `x` (hint: an image reference has no spaces, such as"
            " `shop/orders:1`)"
        ],
    ),
    "unknown key of image_config": (
        "version: 1\nfunctions: {f: {image: x, image_config: {comand: [x]}}}\n",
        ["2:42: unknown key `comand` (hint: did you mean `command`?)"],
    ),
    "a very long key": (
        "version: 1\nfunctions: {}\n" + "x" * 65 + ": 1\n",
        ["3:1: unknown key `" + "x" * 57 + "...`"],
    ),
    "engine as a list": (
        HEAD + "engine: []\n",
        ["7:9: `engine` must be `docker` or `process`, not a list"],
    ),
    "engine": (
        HEAD + "engine: dokcer\n",
        [
            "7:9: `engine` must be `docker` or `process`, not the text `dokcer`"
            " (hint: did you mean `docker`?)"
        ],
    ),
    "swarm": (HEAD + "engine: swarm\n", ["7:9: `swarm` (the swarm engine) is not supported yet"]),
    "pull": (
        HEAD + "pull: sometimes\n",
        ["7:7: `pull` must be `missing`, `never` or `always`, not the text `sometimes`"],
    ),
    "region": (
        HEAD + "region: europe\n",
        ["7:9: `region` cannot be `europe` (hint: a region looks like `eu-west-1`)"],
    ),
    "account": (
        HEAD + "account_id: 123\n",
        ["7:13: `account_id` cannot be `123` (hint: an account id has 12 digits)"],
    ),
    "architecture": (
        HEAD + "    architecture: amd64\n",
        [
            "7:19: `architecture` must be `x86_64` or `arm64`, not the text `amd64`"
            " (hint: write `x86_64`)"
        ],
    ),
    "too little memory": (
        HEAD + "    memory_size: 64\n",
        ["7:18: `memory_size` is 64, less than 128 MB (hint: from 128 to 10240 MB)"],
    ),
    "too much time": (
        HEAD + "    timeout: 901\n",
        ["7:14: `timeout` is 901, more than 900 seconds (hint: from 1 to 900 seconds)"],
    ),
    "storage": (
        HEAD + "    ephemeral_storage: 100\n",
        ["7:24: `ephemeral_storage` is 100, less than 512 MB (hint: from 512 to 10240 MB)"],
    ),
    "reserved below zero": (
        HEAD + "    reserved_concurrent_executions: -1\n",
        ["7:37: `reserved_concurrent_executions` is -1, less than 0"],
    ),
    "fraction": (
        HEAD + "    timeout: 1.5\n",
        ["7:14: `timeout` must be a whole number, not the number 1.5"],
    ),
    "quoted number": (
        HEAD + '    timeout: "5"\n',
        ["7:14: `timeout` must be a whole number, not the text `5` (hint: remove the quotes: 5)"],
    ),
    "sexagesimal": (
        HEAD + "    timeout: 1:30\n",
        [
            "7:14: `timeout` must be a whole number, not the text `1:30` (hint: write plain decimal"
            " digits: YAML versions disagree on `0200`, `1_000`, `1:30`)"
        ],
    ),
    "octal": (
        HEAD + "    memory_size: 0200\n",
        [
            "7:18: `memory_size` must be a whole number, not the text `0200` (hint: write plain"
            " decimal digits: YAML versions disagree on `0200`, `1_000`, `1:30`)"
        ],
    ),
    "boolean for a number": (
        HEAD + "    max_environments: yes\n",
        ["7:23: `max_environments` must be a whole number, not the boolean true"],
    ),
    "boolean for text": (
        HEAD + "    network: off\n",
        [
            "7:14: `network` must be text, not the boolean false"
            ' (hint: YAML reads `off` as a boolean; write "off" if text is meant)'
        ],
    ),
    "number for text": (
        HEAD + "    description: 1.10\n",
        [
            "7:18: `description` must be text, not the number 1.1"
            ' (hint: YAML reads `1.10` as a number; write "1.10" if text is meant)'
        ],
    ),
    "infinite": (
        HEAD + "    keep_alive: 1e999\n",
        ["7:17: `keep_alive` must be a number, not the number inf"],
    ),
    "null": (
        HEAD + "    description:\n",
        [
            '7:5: `description` has no value (hint: remove the key, or write `""`, `{}` or `[]` for'
            " an empty value)"
        ],
    ),
    "null in a list": (
        HEAD + "    extra_hosts: [~]\n",
        [
            '7:19: an item of the list has no value (hint: remove the key, or write `""`, `{}` or'
            " `[]` for an empty value)"
        ],
    ),
    "mapping wanted": (
        HEAD + "    environment: [a]\n",
        ["7:18: `environment` must be a mapping, not a list"],
    ),
    "list wanted": (
        HEAD + "    extra_hosts: {a: b}\n",
        ["7:18: `extra_hosts` must be a list, not a mapping"],
    ),
    "text too long": (
        HEAD + f"    description: {'x' * 257}\n",
        ["7:18: `description` is longer than 256 characters"],
    ),
    "list too long": (
        f"version: 1\nfunctions: {{f: {{image: x, image_config: {{command: {['x'] * 1501}}}}}}}\n",
        ["2:51: `command` has more than 1500 items"],
    ),
    "empty text": (
        HEAD + '    network: ""\n',
        ["7:14: `network` is empty (hint: give it a value, or remove the key)"],
    ),
    "extra host": (
        HEAD + "    extra_hosts: [db]\n",
        ["7:19: `extra_hosts` cannot be `db` (hint: write `name:address`, such as `db:10.0.0.5`)"],
    ),
    "handler with a space": (
        "version: 1\nfunctions: {f: {code: code, runtime: python3.13, handler: a b}}\n",
        ["2:59: `handler` cannot be `a b` (hint: a handler has no spaces, such as `app.handler`)"],
    ),
    "functions as a list": (
        "version: 1\nfunctions: []\n",
        ["2:12: `functions` must be a mapping"],
    ),
    "functions without a value": (
        "version: 1\nfunctions:\n",
        [
            '2:1: `functions` has no value (hint: remove the key, or write `""`, `{}` or `[]` for'
            " an empty value)"
        ],
    ),
    "defaults as text": (HEAD + "defaults: x\n", ["7:11: `defaults` must be a mapping"]),
    "function as text": (
        "version: 1\nfunctions: {f: app.handler}\n",
        [
            "2:16: function `f` must be a mapping (hint: write `{code: ./folder, handler:"
            " app.handler}`)"
        ],
    ),
}
