"""Lines of a group's help: its commands by what one does, each in so few words that it stays a line at 80 columns."""

from __future__ import annotations

SUMMARIES = {  # group: heading: command: line
    "data": {
        "Get recordings": {
            "get": "Fetch a public corpus, with licence and citation.",
            "import": "Bring recordings of any naming into a corpus.",
            "synth": "Make synthetic spoken digits.",
        },
        "Look at them": {
            "scan": "Check every recording: what can be used, and what not.",
            "card": "Describe a corpus on one HTML page.",
        },
        "Make tiles": {
            "prepare": "Turn recordings into tiles, raw and filtered.",
            "pictures": "Turn pictures into tiles, raw and filtered.",
            "denoise": "Denoise tiles by an autoencoder.",
            "show": "Draw some tiles, filtered and augmented too.",
            "solution": "Write the true labels of the test clips, for a host.",
            "strings": "Draw strings of digits from the test clips.",
        },
    },
    "runs": {
        "Commands": {
            "show": "Show one run: settings, scores, curves, files.",
            "name": "Give a run a name that every command finds it by.",
            "tag": "Give a run tags; `arena runs --tag` lists by them.",
            "rm": "Delete runs, after a list and a question.",
        },
    },
    "sweep": {
        "Tune": {
            "lint": "Check a sweep file, and say what it means.",
            "run": "Make or continue studies until each has its trials.",
            "agent": "Join: train trials of studies, here or elsewhere.",
        },
        "Watch": {
            "status": "Show how studies stand.",
            "trials": "List the trials of a study.",
            "best": "Show the best trial, and the command that trains it.",
            "dashboard": "Open Optuna's dashboard on studies as they grow.",
        },
        "Steer": {
            "pause": "Have all agents wait after their epoch.",
            "resume": "Undo pause or stop.",
            "stop": "Have all agents leave after their epoch.",
        },
    },
    "wandb": {
        "Commands": {
            "sync": "Send the runs to W&B that it does not have.",
            "view": "Look at runs in W&B's terminal viewer.",
            "sweep-file": "Write a sweep for W&B's own commands.",
            "trial": "Train one run of a W&B sweep; `wandb agent` starts it.",
        },
    },
    "contest": {
        "Begin": {
            "pack": "Make what students get, and what only the host keeps.",
            "init": "Make a contest from the true labels or a contest.yaml.",
            "config": "Print the rules as a contest.yaml, or one to start from.",
            "team": "Import a class list; add, list, show, forget.",
            "token": "Give and revoke what teams and members sign in with.",
            "join-link": "Links by which people join, until they expire.",
            "serve": "Serve the contest's pages.",
            "host-token": "Give and revoke what hosts and assistants sign in with.",
            "webhook": "Test what tells Slack, Discord or a mailbox.",
        },
        "Take part": {
            "validate": "Check a file's form; costs no attempt.",
            "submit": "Score a file as one of a team's three attempts.",
            "attach": "Add the net behind an attempt that was sent before.",
            "attempts": "List what a team has sent and reached.",
            "attempt": "Show one attempt: every metric, and each confusion.",
            "standings": "Rank the teams by their best attempt.",
        },
        "Decide": {
            "apply": "Change a running contest by its contest.yaml.",
            "extend": "Move the deadline, for all or for one team.",
            "close": "End the contest; private scores are shown then.",
            "reopen": "Take submissions again, until the deadline.",
            "grant": "Allow a team attempts beyond its three.",
            "void": "Take a wrong upload out; its team gets another attempt.",
            "disqualify": "Take a team out of the ranking.",
            "reinstate": "Take a disqualified team back.",
            "rename": "Give a team another name.",
            "pseudonym": "Show a team to others under another name.",
            "merge": "Make one team of two.",
            "rescore": "Score every attempt again by a corrected solution.",
            "announce": "Tell all teams something.",
            "log": "Show what the host did, when and why.",
        },
        "Finish": {
            "verify": "Run the nets that were sent, and compare their answers.",
            "publish": "Write the standings as web pages, CSV and JSON.",
            "gradebook": "Write points per student, also into your platform's file.",
            "files": "Write all submissions and models into one zip.",
            "alike": "List answers of different teams that are alike.",
            "score": "Score a file without a contest, for another platform.",
        },
        "Keep": {
            "backup": "Copy the contest as it is at one moment.",
            "restore": "Make a contest of a backup.",
            "migrate": "Bring the tables of an older Arena up to date.",
        },
    },
    "report": {
        "Commands": {
            "build": "Compare trainings, sweeps and contest on one page.",
            "serve": "Show that page in a browser while a sweep runs.",
            "compare": "Compare two runs, or two folders of runs.",
            "table": "Write every run as a row of a CSV.",
            "notebook": "Write the whole story as a Jupyter notebook.",
            "paper": "Write a paper in Markdown, for a team to edit.",
        },
    },
    "notebook": {
        "Your own": {"project": "Write a notebook of the whole project, for Jupyter or Colab."},
        "Lessons": {
            "mlp": "The training loop in plain PyTorch, and the same by Arena.",
            "scratch": "A net in NumPy alone, and its gradient check.",
            "optimisers": "SGD, momentum, RMSprop, Adam; batches; normalisation.",
            "architectures": "Receptive fields, weights, filters, what a net looks at.",
            "autoencoder": "Reconstruction beside PCA, latent space, denoising.",
        },
    },
    "exercise": {
        "Exercises": {
            "plot": "A plot whose curves have two different x.",
            "xor": "What a perceptron cannot learn, and a net can.",
            "backprop": "The backward steps of three layers.",
            "receptive-field": "What a cell of a map sees, and what it costs.",
        },
        "Check": {"check": "Run the checks on notebooks with answers."},
    },
}
