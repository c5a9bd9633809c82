"""The stylesheet: borders and grounds; a word's tone comes from its line."""

CSS = """
Screen {
    background: $background;
    layers: panes top;
}
#header, #question, #tabs, #guide, #keys, RowPane {
    position: absolute;
    background: $background;
    color: $foreground;
}
#header { padding: 0 1; background: $cockpit-header; }
#header.production { background: $cockpit-production; }
#question { padding: 0 1; background: $cockpit-raised; }
#guide { padding: 0 1; background: $cockpit-raised; }
#keys { text-wrap: nowrap; }
RowPane {
    border: round $cockpit-border;
    border-title-color: $secondary;
    border-title-background: $background;
    border-subtitle-color: $secondary;
    border-subtitle-background: $background;
    border-subtitle-style: none;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;
    scrollbar-color: $cockpit-border;
    scrollbar-color-hover: $cockpit-focus;
    scrollbar-color-active: $cockpit-focus;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-corner-color: $background;
}
RowPane:focus {
    border: round $cockpit-focus;
    border-title-color: $foreground;
    border-title-style: bold;
}
RowPane.bare, RowPane.bare:focus { border: none; }
Dialog, Help, Palette, SignDialog {
    align: center middle;
    background: $background 60%;
}
#dialog {
    height: auto;
    max-height: 100%;
    background: $cockpit-raised;
    color: $foreground;
    border: round $cockpit-focus;
    padding: 0 2;
}
#dialog.danger { border: round $error; }
#facts { height: auto; margin: 1 0; scrollbar-size-vertical: 1; }
#title, #fact-lines, #foot { height: auto; width: 1fr; background: $cockpit-raised; }
#foot { margin: 1 0 0 0; }
#choices { height: auto; width: 1fr; background: $cockpit-raised; margin: 0 0 1 0; }
#field {
    height: 1;
    border: none;
    border-left: thick $cockpit-focus;
    padding: 0 1;
    background: $background;
    color: $foreground;
}
Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
#block {
    height: 4;
    border: none;
    border-left: thick $cockpit-focus;
    padding: 0 1;
    background: $background;
    color: $foreground;
    scrollbar-size: 0 1;
}
ToastRack { overflow: hidden; }
Toast {
    background: $cockpit-raised;
    color: $foreground;
    border-left: outer $cockpit-focus;
    width: auto;
    max-width: 100%;
    padding: 0 1;
    margin-top: 0;
}
"""
